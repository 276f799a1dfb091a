from dataclasses import dataclass
from pathlib import Path

import pytest

from monostep.data.manifest import Row
from monostep.data.prepare.job import Facts
from monostep.data.prepare.ledger import NAME, Ledger
from monostep.errors import OutputError, SettingError

FACTS = Facts(invalid=0.25, least_m=0.5, most_m=9.125, darkest=1, brightest=254)
SETTINGS = {"dataset": "d", "camera": "official"}


@dataclass
class Job:
    name: str
    row: Row

    def prepare(self):
        return FACTS


def job(folder: Path, name="a", elsewhere=Path("official")) -> Job:
    return Job(name, Row(image=elsewhere / f"{name}.jpg", depth=folder / f"{name}.png"))


def test_what_was_added_is_known_to_the_next_run(tmp_path):
    ledger = Ledger(tmp_path, SETTINGS)
    ledger.add(job(tmp_path, "a"), FACTS)
    ledger.add(job(tmp_path, "b"), None)
    again = Ledger(tmp_path, SETTINGS)
    assert again.facts("a") == FACTS
    assert again.facts("b") is None


def test_a_frame_is_whole_if_it_was_added_and_its_own_files_are_there(tmp_path):
    ledger, frame = Ledger(tmp_path, SETTINGS), job(tmp_path)
    (tmp_path / "a.png").touch()
    assert not ledger.is_whole(frame)  # written, perhaps not all of it
    ledger.add(frame, FACTS)
    assert ledger.is_whole(frame)  # the official image is not ours to look after
    assert Ledger(tmp_path, SETTINGS).is_whole(frame)
    (tmp_path / "a.png").write_bytes(b"cut off, or another's")
    assert not ledger.is_whole(frame)
    (tmp_path / "a.png").unlink()
    assert not ledger.is_whole(frame)


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_line_is_a_frame_to_do_again_and_harms_no_other(tmp_path, cut):
    ledger = Ledger(tmp_path, SETTINGS)
    ledger.add(job(tmp_path, "a"), FACTS)
    ledger.add(job(tmp_path, "b"), FACTS)
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[:-cut])
    again = Ledger(tmp_path, SETTINGS)
    again.add(job(tmp_path, "c"), FACTS)
    last = Ledger(tmp_path, SETTINGS)
    assert last.facts("a") == last.facts("c") == FACTS
    if cut > 1:  # without its line end alone it says all
        with pytest.raises(KeyError):
            last.facts("b")


def test_other_settings_need_another_folder(tmp_path):
    Ledger(tmp_path, SETTINGS)
    with pytest.raises(SettingError, match=r"official.*constant.*another folder"):
        Ledger(tmp_path, {**SETTINGS, "camera": "constant"})


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        Ledger(tmp_path / "file" / "below", SETTINGS)
