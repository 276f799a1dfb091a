import json
import struct
import zlib

import numpy as np
import OpenEXR
import pytest
import tifffile

from monostep.errors import InputError, OutputError
from monostep.files import maps

RNG = np.random.default_rng(0)
ABOUT = {"quantity": "depth", "unit": "m", "model": {"name": 'Höhe "x"', "steps": [1, 2.5]}}
LOSSLESS = [ending for ending in maps.ENDINGS if ending != ".png"]


@pytest.fixture
def depth():
    values = RNG.normal(size=(7, 9)).astype(np.float32)
    values[0, :4] = np.nan, np.inf, -np.inf, np.float32(1e-45)
    return values


@pytest.fixture
def normals():
    values = RNG.normal(size=(7, 9, 3))
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("ending", [*LOSSLESS, ".NPY", ".Tiff"])
def test_every_bit_survives_all_formats_but_png(tmp_path, depth, normals, ending):
    path = tmp_path / f"a.map{ending}"
    for write, read, values in (
        (maps.write_depth, maps.read_depth, depth),
        (maps.write_normals, maps.read_normals, normals),
    ):
        write(path, values, ABOUT)
        back, about = read(path)
        np.testing.assert_array_equal(back.view(np.uint32), values.view(np.uint32))
        assert about == ({} if ending.lower() == ".npy" else ABOUT)


def test_png_keeps_the_description_and_nearly_the_values(tmp_path, depth, normals):
    maps.write_depth(tmp_path / "d.png", depth, ABOUT)
    back, about = maps.read_depth(tmp_path / "d.png")
    known = np.isfinite(depth)
    assert about == ABOUT
    assert np.abs(back[known] - depth[known]).max() <= np.ptp(depth[known]) / 65534
    maps.write_normals(tmp_path / "n.png", normals, ABOUT)
    assert np.abs(maps.read_normals(tmp_path / "n.png")[0] - normals).max() < 5e-5


KINDS = {
    "depth": (maps.write_depth, maps.read_depth),
    "normals": (maps.write_normals, maps.read_normals),
    "uncertainty": (maps.write_uncertainty, maps.read_uncertainty),
}
CHANNELS = {"depth": ["Z"], "normals": ["N.x", "N.y", "N.z"], "uncertainty": ["uncertainty"]}


def values_of(kind):
    """A map that means something: depth and uncertainty in [0, 1], normals of unit length."""
    if kind != "normals":
        return RNG.random((7, 9)).astype(np.float32)
    vectors = RNG.normal(size=(7, 9, 3))
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def exr_planes(path, kind):
    with OpenEXR.File(str(path), separate_channels=True) as file:
        assert sorted(file.channels()) == sorted(CHANNELS[kind])
        planes = [file.channels()[name].pixels.copy() for name in CHANNELS[kind]]
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)


def png_values(path, _kind):
    """Row by row as the PNG specification has it, without a line of ours."""
    data, parts = path.read_bytes(), {}
    at = 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        parts[name] = parts.get(name, b"") + data[at + 8 : at + 8 + length]
        at += length + 12
    width, height, depth, colour = struct.unpack_from(">IIBB", parts[b"IHDR"])
    step = 2 * {0: 1, 2: 3}[colour]
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, -1)
    assert depth == 16
    assert set(rows[:, 0]) == {1}  # the filter "Sub" in each row
    left = rows[:, 1:].reshape(height, width, step)
    codes = np.cumsum(left, axis=1, dtype=np.uint8).view(">u2").astype(np.float64)
    facts = json.loads(parts[b"tEXt"].partition(b"\0")[2])
    return (facts["offset"] + facts["scale"] * codes).squeeze()


READERS = {
    ".npy": lambda path, _: np.load(path),
    ".npz": lambda path, kind: np.load(path)[kind],
    ".png": png_values,
    ".exr": exr_planes,
    ".tiff": lambda path, _: tifffile.imread(path),
    ".tif": lambda path, _: tifffile.imread(path),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", maps.ENDINGS)
def test_an_independent_reader_finds_the_values(tmp_path, kind, ending):
    values, path = values_of(kind), tmp_path / f"a{ending}"
    KINDS[kind][0](path, values, ABOUT)
    found = READERS[ending](path, kind)
    assert found.shape == values.shape
    if ending == ".png":  # half a step of 65535, over a range of 1, or of 2 for normals
        bound = (1 if kind == "normals" else 0.5) / 65535 + 1e-7
        assert np.abs(found - values).max() <= bound
    else:
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("kind", KINDS)
def test_half_floats_keep_eleven_bits(tmp_path, kind):
    values, path = values_of(kind), tmp_path / "a.exr"
    values.flat[:3] = 2**-14, 3e-6, 0
    KINDS[kind][0](path, values, ABOUT, half=True)
    found = exr_planes(path, kind)
    assert found.dtype == np.float16
    normal = np.abs(values) >= 2**-14
    error = np.abs(found.astype(np.float64) - values)
    assert (error[normal] <= np.abs(values[normal]) * 2**-11).all()
    assert (error[~normal] <= 2**-25).all()
    assert error.max() > 2**-14  # it did round
    back, about = KINDS[kind][1](path)
    np.testing.assert_array_equal(back, found)
    assert about == ABOUT


@pytest.mark.parametrize("ending", [ending for ending in maps.ENDINGS if ending != ".exr"])
def test_half_floats_are_for_exr_only(tmp_path, ending, depth):
    with pytest.raises(OutputError, match=r"\.exr only"):
        maps.write_depth(tmp_path / f"a{ending}", depth, {}, half=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", maps.ENDINGS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (3, 3), (4, 4)])
def test_the_smallest_maps_keep_their_shape(tmp_path, ending, shape):
    path = tmp_path / f"a{ending}"
    maps.write_depth(path, np.ones(shape, np.float32), {})
    assert maps.read_depth(path)[0].shape == shape
    maps.write_normals(path, np.zeros((*shape, 3), np.float32), {})
    assert maps.read_normals(path)[0].shape == (*shape, 3)


@pytest.mark.parametrize("ending", maps.ENDINGS)
def test_strided_views_are_written_as_they_look(tmp_path, ending):
    values = RNG.random((6, 8)).astype(np.float32)[::-2, ::3].T
    maps.write_depth(tmp_path / f"a{ending}", values, {})
    np.testing.assert_allclose(maps.read_depth(tmp_path / f"a{ending}")[0], values, atol=1e-5)


@pytest.mark.parametrize("ending", [".jpg", "", ".json"])
def test_an_unknown_ending_lists_the_known_ones(tmp_path, depth, ending):
    with pytest.raises(OutputError, match=r"maps end in \.npy \.npz \.png \.exr \.tiff \.tif"):
        maps.write_depth(tmp_path / f"a{ending}", depth, {})
    with pytest.raises(InputError, match="maps end in"):
        maps.read_depth(tmp_path / f"a{ending}")


@pytest.mark.parametrize("ending", maps.ENDINGS)
def test_missing_broken_and_empty_files_are_one_line(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    contents = [None, b"", b"not a map", b"\x93NUMPY\x01\0", b"PK\x03\x04" * 9]
    if ending != ".npy":
        maps.write_depth(path, np.ones((20, 20), np.float32), ABOUT)
        contents.append(path.read_bytes()[:150])
        path.unlink()
    for content in contents:
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.") as caught:
            maps.read_depth(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", maps.ENDINGS)
def test_a_map_of_the_other_kind_is_refused(tmp_path, ending, normals):
    path = tmp_path / f"a{ending}"
    maps.write_normals(path, normals, {})
    with pytest.raises(InputError, match="depth"):
        maps.read_depth(path)


@pytest.mark.parametrize("ending", maps.ENDINGS)
def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path, ending, depth):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        maps.write_depth(tmp_path / "file" / f"a{ending}", depth, {})


@pytest.mark.parametrize("ending", LOSSLESS[1:])
def test_what_json_cannot_say_leaves_no_file(tmp_path, ending, depth):
    with pytest.raises(OutputError, match="JSON"):
        maps.write_depth(tmp_path / f"a{ending}", depth, {"score": float("nan")})
    assert list(tmp_path.iterdir()) == []
