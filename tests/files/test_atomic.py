import os
import stat

import pytest

from monostep.errors import InputError, OutputError
from monostep.files.atomic import read_json, replacing, write_bytes, write_json


def test_success_replaces_the_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "made" / "on demand" / "out.bin"
    write_bytes(target, b"old")
    with replacing(target) as temporary:
        assert temporary.parent == target.parent
        temporary.write_bytes(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit, OutputError])
def test_failure_keeps_the_old_file_and_its_own_error(tmp_path, failure):
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")
    with pytest.raises(failure, match="why"), replacing(target) as temporary:
        temporary.write_bytes(b"half")
        raise failure("why")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_new_files_get_the_permissions_of_any_other_file(tmp_path):
    (tmp_path / "usual").touch()
    write_bytes(tmp_path / "ours", b"")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_the_longest_file_name_can_be_written(tmp_path):
    write_bytes(tmp_path / ("n" * 255), b"x")


def test_a_full_disk_is_one_clear_error(tmp_path):
    said = r"out\.bin: cannot be written \(No space left"
    with pytest.raises(OutputError, match=said) as caught, replacing(tmp_path / "out.bin"):
        raise OSError(28, os.strerror(28))
    assert "\n" not in str(caught.value)


def test_a_file_where_a_folder_should_be_is_a_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_bytes(tmp_path / "file" / "out.bin", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_a_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        write_bytes(tmp_path / "out.bin", b"")


def test_json_round_trip_sorted_and_indented(tmp_path):
    path = tmp_path / "about.json"
    write_json(path, {"b": 1, "a": [1.5]})
    assert read_json(path) == {"a": [1.5], "b": 1}
    text = path.read_text()
    assert text.startswith('{\n  "a"')
    assert text.endswith("}\n")


def test_a_json_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.json: cannot be read"):
        read_json(tmp_path / "absent.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match=r"broken\.json: not valid JSON"):
        read_json(tmp_path / "broken.json")
