import dataclasses
import json
import os

import pytest

from monostep.errors import OutputError
from monostep.runner import record
from monostep.runner.record import File, Input, Map, Record

INPUT = Input(
    name="sub/a.jpg",
    bytes=3,
    mtime_ns=7,
    sha256="0",
    width=2,
    height=1,
    focal_px=None,
    changes=("turned",),
)
MAP = Map(
    about={"kind": "depth"},
    made_by={"steps": 1},
    files={"a.depth.npy": File(kind="depth", bytes=4)},
)


def test_round_trip(tmp_path):
    whole = Record(input=INPUT, maps={"depth": MAP})
    record.write(tmp_path / "a.json", whole)
    assert record.read(tmp_path / "a.json", overwrite=False) == whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"generator": "monostep 1',
        '{"generator": "monostep 1", "input": 3}',
        '{"generator": "monostep 1", "maps": []}',
    ],
)
def test_what_is_damaged_counts_as_absent(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert record.read(tmp_path / "a.json", overwrite=False) is None
    assert record.read(tmp_path / "gone.json", overwrite=False) is None


def test_the_json_of_another_program_is_safe_unless_given_up(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"shapes": []}))
    with pytest.raises(OutputError, match="not from monostep"):
        record.read(path, overwrite=False)
    assert record.read(path, overwrite=True) is None


def test_an_input_is_the_same_by_time_or_by_content(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"abc")
    known = dataclasses.replace(INPUT, mtime_ns=path.stat().st_mtime_ns, sha256=record.sha256(path))
    assert record.is_same_input(known, path)
    os.utime(path, ns=(5, 5))
    assert record.is_same_input(known, path)
    path.write_bytes(b"abd")
    assert not record.is_same_input(known, path)
    path.write_bytes(b"abcd")
    assert not record.is_same_input(known, path)
    path.unlink()
    assert not record.is_same_input(known, path)
