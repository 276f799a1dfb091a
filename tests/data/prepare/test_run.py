import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest

from monostep.data import manifest
from monostep.data.manifest import Declaration, Row
from monostep.data.prepare.job import Facts, Plan
from monostep.data.prepare.run import run
from monostep.data.prepare.thresholds import Thresholds
from monostep.errors import InputError, MonostepWarning, OutputError, SettingError
from monostep.files.atomic import write_bytes

FLAT = Facts(invalid=0.0, least_m=1.0, most_m=1.0, darkest=0, brightest=255)
DEEP = Facts(invalid=0.0, least_m=1.0, most_m=9.0, darkest=0, brightest=255)


@dataclass(frozen=True)
class Job:
    name: str
    output: Path
    content: bytes = b"whole"

    @property
    def row(self) -> Row:
        place = self.output / self.name
        return Row(image=place.with_suffix(".png"), depth=place.with_suffix(".depth.png"))

    def prepare(self) -> Facts:
        if self.content == b"broken":
            raise InputError("official.hdf5: not readable")
        if self.content == b"full":
            raise OutputError("out.png: cannot be written (No space left on device)")
        write_bytes(self.row.image, self.content)
        write_bytes(self.output / f"{self.name}.depth.png", self.content)
        return FLAT if self.content == b"flat" else DEEP


def plan(output: Path, contents: dict[str, bytes], **settings) -> Plan:
    jobs = [Job(name, output, content) for name, content in contents.items()]
    return Plan(declaration=Declaration(name="d", unit="mm"), settings=settings, jobs=jobs)


def images(path: Path) -> list[str]:
    return [row.image.stem for row in manifest.read(path).rows]


GOOD = dict.fromkeys("dacbe", b"whole")


def test_the_manifest_has_every_frame_in_the_plans_order(tmp_path):
    report = run(plan(tmp_path, GOOD), tmp_path)
    assert (report.rows, report.written, report.kept, report.broken) == (5, 5, 0, ())
    assert images(report.manifest) == list("dacbe")
    assert manifest.read(report.manifest).declaration == Declaration(name="d", unit="mm")
    assert str(tmp_path) not in report.manifest.read_text()


def test_what_is_whole_is_kept_and_what_is_missing_made_again(tmp_path):
    run(plan(tmp_path, GOOD), tmp_path)
    (tmp_path / "b.png").unlink()
    changed = dict.fromkeys(GOOD, b"later")
    report = run(plan(tmp_path, changed), tmp_path)
    assert (report.written, report.kept) == (1, 4)
    assert (tmp_path / "b.png").read_bytes() == b"later"
    assert (tmp_path / "a.png").read_bytes() == b"whole"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_broken_frame_is_named_left_out_and_tried_again(tmp_path, workers):
    said = []
    broken = {**GOOD, "c": b"broken"}
    report = run(plan(tmp_path, broken), tmp_path, workers=workers, done=said.append)
    assert report.broken == ("c: official.hdf5: not readable",)
    assert said == [None, None, "c: official.hdf5: not readable", None, None]
    assert images(report.manifest) == list("dabe")
    assert images(run(plan(tmp_path, GOOD), tmp_path).manifest) == list("dacbe")


def test_a_full_disk_ends_the_run_and_the_next_one_goes_on(tmp_path):
    with pytest.raises(OutputError, match="No space left") as caught:
        run(plan(tmp_path, {**GOOD, "b": b"full"}), tmp_path)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # from a process
    assert not (tmp_path / "manifest.jsonl").exists()
    report = run(plan(tmp_path, GOOD), tmp_path)
    assert (report.rows, report.kept) == (5, 3)


def test_thresholds_leave_frames_out_also_those_that_were_kept(tmp_path):
    some = {"a": b"whole", "b": b"flat", "c": b"whole"}
    assert run(plan(tmp_path, some), tmp_path).rows == 3
    report = run(plan(tmp_path, some), tmp_path, thresholds=Thresholds())
    assert (report.rows, report.kept, report.left_out) == (2, 3, 1)
    assert images(report.manifest) == ["a", "c"]


def test_nothing_to_list_is_an_error_with_the_first_reason(tmp_path):
    with pytest.raises(InputError, match=r"nothing to list out of 1 frames: a: official\.hdf5"):
        run(plan(tmp_path, {"a": b"broken"}), tmp_path)
    with pytest.raises(InputError, match="thresholds leave no frame"):
        run(plan(tmp_path, {"b": b"flat"}), tmp_path, thresholds=Thresholds())


def test_a_folder_is_of_one_setting(tmp_path):
    run(plan(tmp_path, GOOD, camera="official"), tmp_path)
    with pytest.raises(SettingError, match="choose another folder"):
        run(plan(tmp_path, GOOD, camera="constant"), tmp_path)


def test_relative_paths_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = run(plan(tmp_path / "out", GOOD), Path("out"))
    assert run(plan(tmp_path / "out", GOOD), Path("out")).kept == 5
    assert report.manifest == tmp_path / "out" / "manifest.jsonl"


def test_a_manifest_that_loses_images_says_so(tmp_path):
    run(plan(tmp_path, GOOD), tmp_path)
    with pytest.warns(MonostepWarning, match=r"listed 3 images that this choice leaves out"):
        run(plan(tmp_path, dict.fromkeys("da", b"whole")), tmp_path)
    assert run(plan(tmp_path, GOOD), tmp_path).kept == 5
