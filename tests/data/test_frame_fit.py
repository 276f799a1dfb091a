import numpy as np
import pytest
import torch
from own_data import array, plane, row
from PIL import Image

from monostep.data import frame_fit
from monostep.data.frame import load
from monostep.data.manifest import Declaration
from monostep.errors import InputError

CAMERA = (20.0, 21.0, 13.0, 9.5)
METRES = Declaration(name="own")


def frame(folder, size=(18, 24)):
    depth = np.random.default_rng(1).random(size) + 1
    depth[0] = 0
    confidence = array(folder / "c.npy", np.random.default_rng(2).random(size))
    return load(row(folder, depth, size, intrinsics_px=CAMERA, confidence=confidence), METRES)


def test_the_own_size_changes_nothing(tmp_path):
    own = frame(tmp_path)
    same = frame_fit.resize(own, (18, 24))
    for name, value in vars(own).items():
        assert value is getattr(same, name) or torch.equal(value, getattr(same, name)), name


@pytest.mark.parametrize("size", [(7, 9), (12, 30), (18, 10)])
def test_geometry_is_of_pillows_nearest_pixel_and_colour_averaged(tmp_path, size):
    own = frame(tmp_path)
    smaller = frame_fit.resize(own, size)
    for name in ("depth_m", "valid", "confidence"):
        values = getattr(own, name).numpy().astype(np.float32)
        expected = np.asarray(Image.fromarray(values).resize(size[::-1], Image.Resampling.NEAREST))
        assert np.array_equal(getattr(smaller, name).numpy().astype(np.float32), expected), name
    assert smaller.image.shape == (3, *size)
    for channel in range(3):
        grey = Image.fromarray(own.image[channel].numpy())
        expected = np.asarray(grey.resize(size[::-1], Image.Resampling.BILINEAR))
        np.testing.assert_allclose(smaller.image[channel].numpy(), expected, atol=1e-5)


def test_normals_stay_unit_and_are_none_that_was_not_there(tmp_path):
    own = frame(tmp_path)
    smaller = frame_fit.resize(own, (7, 9))
    length = smaller.normals.norm(dim=0)
    assert ((length == 0) | ((length - 1).abs() < 1e-5)).all()
    assert not smaller.normals[:, ~smaller.valid].any()


def points(camera, depth):
    y, x = torch.meshgrid(
        torch.arange(depth.shape[0]) + 0.5, torch.arange(depth.shape[1]) + 0.5, indexing="ij"
    )
    pixels = torch.stack([x, y, torch.ones_like(x)])
    return torch.einsum("ij,jhw->ihw", torch.linalg.inv(camera), pixels) * depth


def test_points_stay_where_they_are(tmp_path):
    """Every third pixel has its centre where a pixel of a third of the size has it."""
    own = frame(tmp_path)
    smaller = frame_fit.resize(own, (6, 8))
    whole = points(own.intrinsics, own.depth_m)[:, 1::3, 1::3]
    torch.testing.assert_close(points(smaller.intrinsics, smaller.depth_m), whole)


@pytest.mark.parametrize("size", [(375, 1242), (352, 1216), (376, 1241)])
def test_the_kitti_crop_is_the_benchmarks(tmp_path, size):
    own = load(row(tmp_path, plane(size), size, intrinsics_px=(725.0, 725.0, 620.5, 187.0)), METRES)
    cut = frame_fit.kitti_crop(own)
    top, left = size[0] - 352, int((size[1] - 1216) / 2)
    assert torch.equal(cut.image, own.image[:, top:, left : left + 1216])
    assert torch.equal(cut.depth_m, own.depth_m[top:, left : left + 1216])
    assert cut.depth_m.shape == (352, 1216)
    whole = points(own.intrinsics, own.depth_m)[:, top:, left : left + 1216]
    torch.testing.assert_close(points(cut.intrinsics, cut.depth_m), whole, rtol=1e-5, atol=1e-5)
    if size == (375, 1242):
        assert (top, left) == (23, 13)


def test_what_is_smaller_than_the_crop_is_refused(tmp_path):
    with pytest.raises(InputError, match="size 24x18 is too small for the crop 1216x352"):
        frame_fit.kitti_crop(frame(tmp_path))
