import sys

import numpy as np
import OpenEXR
import pytest

from monostep.errors import InputError, MissingExtraError, OutputError
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
