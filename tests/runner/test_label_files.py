import numpy as np
import pytest
import torch
from many_files import files, picture

from monostep.data import frame, manifest
from monostep.data.manifest import Declaration
from monostep.errors import OutputError
from monostep.files import maps
from monostep.geometry.agreement import Agreed
from monostep.runner import label_files, labels, outputs, record
from monostep.runner.inputs import Job
from monostep.runner.labels import LabelSettings


@pytest.fixture(params=["depth", "normals"])
def looker(request, models, here):
    settings = LabelSettings(manifest=here / "labels.jsonl")
    return labels._looker(models[request.param], settings)


@pytest.fixture
def job(here):
    return Job(source=picture(here / "photos/sub/a.png", (6, 4)), name="sub/a.png", stem="sub/a")


def _agreed(task):
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(4, 6, generator=generator) - 0.2  # a mean may leave [0, 1]
    if task == "normals":
        values = torch.nn.functional.normalize(torch.randn(3, 4, 6, generator=generator), dim=0)
    return Agreed(values=values, confidence=torch.rand(4, 6, generator=generator))


def test_a_label_is_read_back_as_the_row_of_a_manifest(looker, job, here):
    agreed = _agreed(looker.task)
    known = label_files.write(job, outputs.read(job), agreed, looker)
    told = label_files.declaration(looker, name="labels")
    manifest.write(here / "labels.jsonl", told, [label_files.row(job, known, looker)])
    read = manifest.read(here / "labels.jsonl")
    assert read.declaration == Declaration(
        name="labels", unit="relative" if looker.task == "depth" else "m"
    )
    row = read.rows[0]
    assert (row.depth is None, row.normals is None) == (
        looker.task == "normals",
        looker.task == "depth",
    )
    found = frame.load(row, read.declaration)
    stored = found.depth_m if looker.task == "depth" else found.normals
    torch.testing.assert_close(stored, agreed.values, atol=4e-5, rtol=0)
    torch.testing.assert_close(found.confidence, agreed.confidence, atol=1e-5, rtol=0)
    assert found.valid.all()
    assert label_files.mean_confidence(known, looker) == pytest.approx(
        agreed.confidence.mean().item()
    )


def test_what_is_written_is_listed_and_complete(looker, job):
    assert label_files.complete(job, looker) is None
    known = label_files.write(job, outputs.read(job), _agreed(looker.task), looker)
    assert label_files.complete(job, looker) == known
    listed = [
        path.relative_to(looker.plan.settings.output)
        for path in label_files.listed(job, known, looker)
    ]
    assert {path.as_posix() for path in listed} == files("labels")
    assert listed[-1].as_posix() == "sub/a.json"
    for path in label_files.listed(job, known, looker):
        content = path.read_bytes()
        path.unlink()
        assert label_files.complete(job, looker) is None, path
        path.write_bytes(content)
    assert label_files.complete(job, looker) == known


def test_a_label_that_is_not_whole_has_no_record(looker, job, monkeypatch):
    label_files.write(job, outputs.read(job), _agreed(looker.task), looker)

    def full(*_, **__):
        raise OutputError("a.confidence.png: cannot be written (no space left)")

    monkeypatch.setattr(maps, "write_depth", full)
    with pytest.raises(OutputError):
        label_files.write(job, outputs.read(job), _agreed(looker.task), looker)
    assert not looker.plan.record(job).exists()


def test_the_camera_is_the_photographs_own(looker, job):
    shown = outputs.read(job)
    known = label_files.write(job, shown, _agreed(looker.task), looker)
    assert label_files.row(job, known, looker).intrinsics_px is None
    with_focal = record.Record(
        input=record.Input(**{**vars(known.input), "focal_px": 5.0}), maps=known.maps
    )
    row = label_files.row(job, with_focal, looker)
    assert row.intrinsics_px == (5.0, 5.0, 3.0, 2.0)


def test_the_record_says_what_made_the_label(looker, job):
    known = label_files.write(job, outputs.read(job), _agreed(looker.task), looker)
    provenance = known.maps[looker.task].about["provenance"]
    assert provenance["model"] == f"tiny-{looker.task}"
    assert provenance["looks"] == {"mirrored": True, "scale": 0.75}
    stored = record.read(looker.plan.record(job), overwrite=False)
    assert stored == known
    assert np.isfinite(provenance["mean_confidence"])
