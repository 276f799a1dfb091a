from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image

from monostep.errors import InputError
from monostep.evaluation.predictions.values import is_coded, read_depth, read_normals
from monostep.files import maps

SIZE = (5, 7)
ABOUT = {"kind": "depth", "quantity": "disparity"}


@pytest.fixture
def depth():
    return np.random.default_rng(0).random(SIZE, dtype=np.float32)


@pytest.fixture
def normals():
    """Unit vectors of every direction that faces the camera of the OpenGL frame."""
    values = np.random.default_rng(1).normal(size=(*SIZE, 3)).astype(np.float32)
    values[..., 2] = abs(values[..., 2]) + 0.1
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


@pytest.mark.parametrize("shape", [SIZE, (1, *SIZE), (*SIZE, 1), (1, 1, *SIZE)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_depth_arrays_of_all_layouts_and_types(tmp_path, depth, shape, dtype):
    stored = depth.astype(dtype).reshape(shape)
    np.save(tmp_path / "a.npy", stored)
    values, about = read_depth(tmp_path / "a.npy", SIZE)
    assert (values.numpy() == stored.reshape(SIZE).astype(np.float32)).all()
    assert about == {}


@pytest.mark.parametrize("size", [(1, 7), (5, 1), (1, 1)])
def test_one_row_or_column_is_still_a_map(tmp_path, size):
    stored = np.arange(size[0] * size[1], dtype=np.float32)
    for shape in ((*size, 1), (1, *size)):
        np.save(tmp_path / "a.npy", stored.reshape(shape))
        assert (read_depth(tmp_path / "a.npy", size)[0].numpy() == stored.reshape(size)).all()


@pytest.mark.parametrize("ending", maps.ENDINGS)
def test_our_files_give_back_values_and_description(tmp_path, depth, ending):
    path = tmp_path / f"a{ending}"
    maps.write_depth(path, depth, ABOUT)
    values, about = read_depth(path, SIZE)
    assert abs(values.numpy() - depth).max() <= (1 / 65535 if ending == ".png" else 0)
    assert about == ({} if ending == ".npy" else ABOUT)


def test_an_archive_of_one_array_needs_no_name(tmp_path, depth):
    np.savez(tmp_path / "a.npz", depth)
    assert (read_depth(tmp_path / "a.npz", SIZE)[0].numpy() == depth).all()
    np.savez(tmp_path / "a.npz", pred=depth, other=depth)
    with pytest.raises(InputError, match=r"no entry 'depth' in it, only pred, other"):
        read_depth(tmp_path / "a.npz", SIZE)
    (tmp_path / "a.npz").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match=r"a\.npz: not a readable numpy archive"):
        read_depth(tmp_path / "a.npz", SIZE)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_codes_of_a_png_are_the_values(tmp_path, dtype):
    codes = np.arange(35, dtype=dtype).reshape(SIZE)
    Image.fromarray(codes).save(tmp_path / "a.png")
    assert (read_depth(tmp_path / "a.png", SIZE)[0].numpy() == codes).all()


def test_a_picture_of_depth_is_refused(tmp_path):
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="a picture of it"):
        read_depth(tmp_path / "a.png", SIZE)


def test_another_size_is_said_with_both(tmp_path, depth):
    np.save(tmp_path / "a.npy", depth[None])
    with pytest.raises(InputError, match=r"a\.npy: 7 x 5 pixels, .* have 14 x 10"):
        read_depth(tmp_path / "a.npy", (10, 14))
    np.save(tmp_path / "b.npy", np.zeros((3, 5, 7), np.float32))
    with pytest.raises(InputError, match=r"b\.npy: expected numbers \[height, width\]"):
        read_depth(tmp_path / "b.npy", SIZE)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_left_to_the_judge(tmp_path, depth, normals, bad):
    """It matters only where there is truth, which the file does not know."""
    depth[1, 2:4] = bad
    np.save(tmp_path / "a.npy", depth)
    np.testing.assert_array_equal(read_depth(tmp_path / "a.npy", SIZE)[0], depth)
    normals[0, 0] = bad
    np.save(tmp_path / "b.npy", normals)
    np.testing.assert_array_equal(
        read_normals(tmp_path / "b.npy", SIZE)[0].permute(1, 2, 0), normals
    )
    np.save(tmp_path / "b.npy", (normals + 1) / 2)
    with pytest.raises(InputError, match=r"--value-range 0\.\.1"):
        read_normals(tmp_path / "b.npy", SIZE)
    np.save(tmp_path / "b.npy", np.full_like(normals, bad))
    assert not read_normals(tmp_path / "b.npy", SIZE)[0].isfinite().any()


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)], ids=["last", "first"])
def test_normals_with_channels_last_or_first(tmp_path, normals, axes):
    for path in (tmp_path / "a.npy", tmp_path / "a.npz"):
        stored = normals.transpose(axes)
        np.save(path, stored) if path.suffix == ".npy" else np.savez(path, stored)
        for size in (SIZE, None):
            values, _ = read_normals(path, size)
            assert (values.permute(1, 2, 0).numpy() == normals).all()


def test_the_size_decides_between_the_layouts(tmp_path):
    values = np.zeros((3, 5, 3), np.float32)
    values[..., 2] = -1  # of channels last
    values[:, :, 0] = np.linspace(-0.5, 0.5, 5)
    np.save(tmp_path / "a.npy", values)
    last, _ = read_normals(tmp_path / "a.npy", (3, 5))
    first, _ = read_normals(tmp_path / "a.npy", (5, 3))
    assert (last.permute(1, 2, 0).numpy() == values).all()
    assert (first.numpy() == values).all()


@pytest.mark.parametrize("ending", maps.ENDINGS)
def test_our_normals_come_back(tmp_path, normals, ending):
    path = tmp_path / f"a{ending}"
    maps.write_normals(path, normals, {"kind": "normals", "frame": "opengl"})
    values, about = read_normals(path, SIZE)
    assert abs(values.permute(1, 2, 0).numpy() - normals).max() < 1e-4
    assert about == ({} if ending == ".npy" else {"kind": "normals", "frame": "opengl"})


def test_normals_coded_from_0_to_1_need_a_declaration(tmp_path, normals):
    np.save(tmp_path / "a.npy", (normals + 1) / 2)
    with pytest.raises(InputError, match=r"--value-range 0\.\.1"):
        read_normals(tmp_path / "a.npy", SIZE)
    values, _ = read_normals(tmp_path / "a.npy", SIZE, value_range="0..1")
    assert abs(values.permute(1, 2, 0).numpy() - normals).max() < 1e-6
    np.save(tmp_path / "a.npy", normals)
    with pytest.raises(InputError, match=r"expected 0\.\.1"):
        read_normals(tmp_path / "a.npy", SIZE, value_range="0..1")


def test_normals_that_only_happen_to_be_above_0_are_no_codes(tmp_path, normals):
    np.save(tmp_path / "a.npy", abs(normals))
    values, _ = read_normals(tmp_path / "a.npy", SIZE)
    assert not is_coded(values)
    assert is_coded((values + 1) / 2)
    facing = np.zeros((*SIZE, 3), np.float32)
    facing[..., 2] = 1
    np.save(tmp_path / "a.npy", facing)
    assert not is_coded(read_normals(tmp_path / "a.npy", SIZE)[0])


def test_pixels_without_direction_hide_no_code(normals):
    values = torch.from_numpy(normals).permute(2, 0, 1).clone()
    values[:, 1:] = 0
    assert is_coded((values + 1) / 2)
    assert not is_coded(values.abs())
    assert not is_coded(torch.zeros_like(values))


def test_bytes_as_floats_are_refused_and_bytes_as_png_are_not(tmp_path, normals):
    codes = np.round((normals + 1) * 127.5)
    np.save(tmp_path / "a.npy", codes.astype(np.float32))
    with pytest.raises(InputError, match=r"components from .* to 25\d; expected -1\.\.1"):
        read_normals(tmp_path / "a.npy", SIZE)
    Image.fromarray(codes.astype(np.uint8)).save(tmp_path / "a.png")
    values, _ = read_normals(tmp_path / "a.png", SIZE)
    assert abs(values.permute(1, 2, 0).numpy() - normals).max() < 0.02


def test_normals_of_another_size_or_shape(tmp_path, normals):
    np.save(tmp_path / "a.npy", normals)
    with pytest.raises(InputError, match=r"7 x 5 pixels, .* have 8 x 5"):
        read_normals(tmp_path / "a.npy", (5, 8))
    np.save(tmp_path / "a.npy", normals[..., :2])
    with pytest.raises(InputError, match="expected numbers"):
        read_normals(tmp_path / "a.npy", SIZE)


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_depth(tmp_path / "a.npy", SIZE)


@pytest.mark.parametrize("shape", [(375, 1242), (370, 1226)])
def test_whole_predictions_of_kitti_are_to_be_cropped_not_resized(tmp_path, shape):
    path = tmp_path / "a.npy"
    np.save(path, np.ones(shape, np.float32))
    with pytest.raises(InputError, match=r"crop .* the lowest 352 rows, the middle 1216 columns"):
        read_depth(path, (352, 1216))
    np.save(path, np.ones((176, 1216), np.float32))
    with pytest.raises(InputError, match="resize the prediction"):
        read_depth(path, (352, 1216))


def test_a_member_that_is_no_array_is_named(tmp_path):
    with ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("depth.txt", "x")
    with pytest.raises(InputError, match=r"a\.npz: 'depth\.txt' in it is no array"):
        read_depth(tmp_path / "a.npz", None)


def test_depth_beyond_float32_is_not_finite(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[1.0, 1e300]]))
    assert read_depth(tmp_path / "a.npy", None)[0].tolist() == [[1, np.inf]]
