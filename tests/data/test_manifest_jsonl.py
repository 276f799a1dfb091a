import pytest

from monostep.data import manifest_jsonl
from monostep.errors import InputError

HEAD = {"monostep_manifest": 1, "name": "own"}


def test_write_and_read_are_inverse_and_blank_lines_say_nothing(tmp_path):
    path = tmp_path / "own.jsonl"
    rows = [{"image": "ä\n.png", "intrinsics_px": [1.5, 2, 3, 4]}, {"image": "b"}]
    manifest_jsonl.write(path, HEAD, rows)
    path.write_bytes(path.read_bytes() + b"\n\r\n")
    head, entries = manifest_jsonl.read(path)
    assert head.values == HEAD
    assert [entry.values for entry in entries] == rows
    assert entries[1].where == f"{path}, line 3"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: expected the declaration"),
        (b'{"image": "a.png"}\n', "line 1: expected the declaration"),
        (b'{"monostep_manifest": 1}\n{"image": \n', "line 2: not valid JSON"),
        (b'{"monostep_manifest": 1}\n["a"]\n', "line 2: expected a JSON object"),
        (b'\xff\xfe{"monostep_manifest": 1}', "line 1: not valid JSON"),
    ],
)
def test_errors_have_the_line(tmp_path, content, message):
    path = tmp_path / "own.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        manifest_jsonl.read(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        manifest_jsonl.read(tmp_path / "none.jsonl")
