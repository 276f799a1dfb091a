import planted_defects

from monostep.data import manifest
from monostep.data.check.survey import survey
from monostep.data.synthesize import synthesize


def test_counts_and_ranges_are_those_of_the_files(tmp_path):
    synthesize(tmp_path / "set", seed=1, indices=range(3), size=(40, 48))
    data = manifest.read(tmp_path / "set")
    planted_defects.cut_short(data.rows[1].image)
    (summary,) = survey([data]).summaries
    assert (summary.name, summary.images, summary.read) == ("set", 3, 2)
    assert (summary.with_depth, summary.with_normals) == (3, 3)
    assert summary.sizes == {"48x40": 2}
    assert summary.splits == {"none": 3}
    assert 0 < summary.medians[0] <= summary.medians[1]
    assert 0 < summary.valid[0] <= summary.valid[1] <= 1
    assert summary.values()["medians"] == list(summary.medians)
