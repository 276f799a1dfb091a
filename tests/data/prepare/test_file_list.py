import pytest

from monostep.data.prepare import file_list
from monostep.errors import InputError


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
def test_the_lines_whatever_the_end_of_the_file(tmp_path, end):
    (tmp_path / "l.txt").write_bytes(f"a b\nc d{end}".encode())
    assert file_list.lines(tmp_path / "l.txt") == ["a b", "c d"]


def test_lists_that_cannot_be_used_are_named(tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\x9d")
    for name, reason in [
        ("absent", "cannot be read"),
        ("empty", "empty"),
        ("binary", "not a text"),
    ]:
        with pytest.raises(InputError, match=rf"{name}\.txt.*{reason}"):
            file_list.lines(tmp_path / f"{name}.txt")
