import json

import planted_defects
import pytest

from monostep.data import manifest
from monostep.data.check import report
from monostep.data.check.findings import KINDS
from monostep.data.check.survey import survey
from monostep.data.synthesize import synthesize


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    synthesize(folder, seed=1, indices=range(4), size=(48, 64))
    data = manifest.read(folder)
    for row in data.rows[:2]:
        planted_defects.change_depth(row, planted_defects.constant)
    planted_defects.cut_short(data.rows[3].image)
    return survey([data])


def test_both_files_hold_every_finding_and_are_equal_for_equal_data(found, tmp_path):
    report.write(found, tmp_path)
    about = json.loads((tmp_path / report.JSON).read_text())
    assert about == json.loads(json.dumps(report.values(found)))
    assert about["clean"] is False
    assert about["counts"]["constant"] == 2
    assert set(about["counts"]) == set(KINDS)
    text = (tmp_path / report.MARKDOWN).read_text()
    for finding in found.findings:
        assert finding.message in text
    assert "`set/000003.png`" in text


def test_the_table_has_a_line_for_each_kind(found):
    lines = report.table(found)
    assert [line.split()[:3] for line in lines] == [
        ["error", "unreadable", "1"],
        ["error", "constant", "2"],
    ]
    assert "set/000000.png: every valid depth is 2.5 m" in lines[1]


def test_every_kind_has_a_meaning_and_a_manifest_a_line(found):
    assert tuple(report.MEANINGS) == KINDS
    assert report.about(found.summaries[0]).startswith("set: 3 of 4 images read, 4 with depth")
