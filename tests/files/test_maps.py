import numpy as np
import pytest

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
