import sys

import numpy as np
import OpenEXR
import pytest

from monostep.errors import InputError, MissingExtraError, OutputError
from monostep.files.in_memory import InMemory
from monostep.files.map_exr import read_exr, write_exr
from monostep.files.map_layout import DEPTH, NORMALS

RNG = np.random.default_rng(0)
DEPTHS = RNG.normal(size=(5, 6)).astype(np.float32)
VECTORS = RNG.normal(size=(5, 6, 3)).astype(np.float32)


def test_openexr_itself_finds_channels_and_description(tmp_path):
    path = tmp_path / "a.exr"
    write_exr(path, VECTORS, {"frame": "opencv"}, NORMALS)
    with OpenEXR.File(str(path), separate_channels=True) as file:
        assert file.header()["monostep"] == '{"frame": "opencv"}'
        for index, name in enumerate(("N.x", "N.y", "N.z")):
            np.testing.assert_array_equal(file.channels()[name].pixels, VECTORS[..., index])


@pytest.mark.parametrize(
    ("names", "layout", "values"),
    [("Y", DEPTH, DEPTHS), ("R", DEPTH, DEPTHS), ("RGB", NORMALS, VECTORS)],
)
@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_other_programs_channel_names_and_half_floats_are_read(
    tmp_path, names, layout, values, kind
):
    planes = values.reshape(5, 6, -1).astype(kind)
    channels = {name: np.ascontiguousarray(planes[..., i]) for i, name in enumerate(names)}
    path = tmp_path / "a.exr"
    OpenEXR.File({}, channels).write(str(path))
    back, about = read_exr(path, layout)
    np.testing.assert_array_equal(back, values.astype(kind))
    assert about == {}


def test_half_floats_keep_what_is_no_number(tmp_path):
    values = np.array([[np.nan, np.inf, -np.inf, 65504]], np.float32)
    write_exr(tmp_path / "a.exr", values, {}, DEPTH, half=True)
    np.testing.assert_array_equal(read_exr(tmp_path / "a.exr", DEPTH)[0], values)


def test_what_half_floats_cannot_hold_is_refused(tmp_path):
    values = np.array([[1, 70000]], np.float32)
    with pytest.raises(OutputError, match=r"a\.exr: half floats end at 65504, got 70000"):
        write_exr(tmp_path / "a.exr", values, {}, DEPTH, half=True)
    assert list(tmp_path.iterdir()) == []


def test_missing_channels_are_told_with_those_there(tmp_path):
    write_exr(tmp_path / "a.exr", DEPTHS, {}, DEPTH)
    with pytest.raises(InputError, match=r"a\.exr: no normals channels .* only \['Z'\]"):
        read_exr(tmp_path / "a.exr", NORMALS)


def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(MissingExtraError, match=r"monostep\[formats\]"):
        write_exr(tmp_path / "a.exr", DEPTHS, {}, DEPTH)
    with pytest.raises(MissingExtraError, match=r"monostep\[formats\]"):
        read_exr(tmp_path / "a.exr", DEPTH)


def test_a_file_in_memory_is_read_like_one_on_disk_and_leaves_none(tmp_path, monkeypatch):
    path = tmp_path / "a.exr"
    write_exr(path, VECTORS, {"frame": "opencv"}, NORMALS)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    member = InMemory(name="b.tar: a.exr", data=path.read_bytes())
    back, about = read_exr(member, NORMALS)
    np.testing.assert_array_equal(back, VECTORS)
    assert about == {"frame": "opencv"}
    broken = InMemory(name="b.tar: a.exr", data=path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"^b\.tar: a\.exr: not a readable OpenEXR file") as caught:
        read_exr(broken, NORMALS)
    assert str(scratch) not in str(caught.value)
    assert [*scratch.iterdir()] == []


def test_colours_are_no_map_of_one_channel_but_grey_repeated_is(tmp_path):
    path = tmp_path / "a.exr"
    holed = DEPTHS.copy()
    holed[0, 0] = np.nan
    OpenEXR.File({}, dict.fromkeys("RGB", holed)).write(str(path))
    np.testing.assert_array_equal(read_exr(path, DEPTH)[0], holed)
    planes = {name: np.ascontiguousarray(VECTORS[..., k]) for k, name in enumerate("RGB")}
    OpenEXR.File({}, planes).write(str(path))
    with pytest.raises(InputError, match=r"a\.exr: channels R, G and B differ"):
        read_exr(path, DEPTH)
    np.testing.assert_array_equal(read_exr(path, NORMALS)[0], VECTORS)


def test_no_room_to_unpack_is_said_with_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"^b\.tar: a\.exr: cannot be unpacked .*No such .*TMPDIR"):
        read_exr(InMemory(name="b.tar: a.exr", data=b"x"), DEPTH)
