import numpy as np
import pytest
import torch
from own_data import array, grey16, picture, plane, row
from PIL import Image

from monostep.data import frame_geometry
from monostep.data.frame_geometry import can_have_normals, read
from monostep.data.manifest import Declaration, Row
from monostep.errors import InputError
from monostep.files import maps
from monostep.geometry import frames

SIZE = (12, 16)
CAMERA = (200.0, 220.0, 8.0, 6.0)  # so long that planes are nearly flat in depth, as D2NT wants
METRES = Declaration(name="own")


def slanted(size=SIZE, scale=1.0, camera=CAMERA):
    """Depth and normal of a plane seen by a camera on a grid `scale` times as fine."""
    normal = torch.tensor([0.3, -0.5, -1.0])
    normal /= normal.norm()
    fx, fy, cx, cy = (scale * value for value in camera)
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    rays = np.stack([(x - cx) / fx, (y - cy) / fy, np.ones_like(x)])
    return (-2.0 / np.tensordot(normal.numpy(), rays, axes=1)).astype(np.float32), normal


def known(normals, valid):
    return normals.permute(1, 2, 0)[valid]


def test_normals_come_from_depth_where_the_camera_is_known(tmp_path):
    depth, normal = slanted()
    geometry = read(row(tmp_path, depth, SIZE, intrinsics_px=CAMERA), METRES, SIZE)
    assert geometry.normals is not None
    torch.testing.assert_close(
        known(geometry.normals, geometry.valid), normal.expand(192, 3), rtol=0, atol=1e-3
    )
    without = read(row(tmp_path, depth, SIZE), METRES, SIZE)
    assert without.normals is None


def test_normals_are_derived_on_the_depths_own_grid(tmp_path):
    """Repeated pixels are steps: planes would fall into plateaus that face the camera."""
    depth, normal = slanted((6, 8), scale=0.5)
    coarse = row(tmp_path, depth, SIZE, intrinsics_px=CAMERA)
    geometry = read(coarse, METRES, SIZE)
    assert geometry.normals is not None
    assert geometry.normals.shape == (3, *SIZE)
    torch.testing.assert_close(
        known(geometry.normals, geometry.valid), normal.expand(192, 3), rtol=0, atol=2e-3
    )
    assert torch.equal(geometry.depth_m[::2, ::2], torch.from_numpy(depth))
    assert torch.equal(geometry.depth_m[1::2, 1::2], torch.from_numpy(depth))


def test_masked_depth_is_not_looked_at_by_the_normals_beside_it(tmp_path):
    depth, normal = slanted()
    mask = np.ones(SIZE, np.uint8)
    depth[4:6, 4:6], mask[4:6, 4:6] = 50.0, 0
    Image.fromarray(mask).save(tmp_path / "mask.png")
    own = row(tmp_path, depth, SIZE, intrinsics_px=CAMERA, mask=tmp_path / "mask.png")
    geometry = read(own, METRES, SIZE)
    assert geometry.normals is not None
    assert geometry.valid.sum() == 192 - 4
    assert not geometry.depth_m[4:6, 4:6].any()
    assert not geometry.normals[:, 4:6, 4:6].any()
    torch.testing.assert_close(
        known(geometry.normals, geometry.valid), normal.expand(188, 3), rtol=0, atol=1e-3
    )


def test_distance_takes_the_camera_on_the_grid_of_the_depth(tmp_path):
    depth, _ = slanted((6, 8), scale=0.5)
    rays = np.stack(
        [
            *((np.mgrid[:6, :8][::-1] + 0.5 - [[[4.0]], [[3.0]]]) / [[[100.0]], [[110.0]]]),
            np.ones((6, 8)),
        ]
    )
    distance = depth * np.linalg.norm(rays, axis=0)
    declaration = Declaration(name="own", quantity="distance")
    geometry = read(row(tmp_path, distance, SIZE, intrinsics_px=CAMERA), declaration, SIZE)
    torch.testing.assert_close(
        geometry.depth_m[::2, ::2], torch.from_numpy(depth), rtol=1e-6, atol=0
    )
    with pytest.raises(InputError, match=r"a\.depth\.npy: .* needs the camera; give intrinsics_px"):
        read(row(tmp_path, distance, SIZE), declaration, SIZE)


@pytest.mark.parametrize("frame", ["opencv", "opengl", "directx", "dsine"])
def test_the_same_normals_in_every_frame(tmp_path, frame):
    _, normal = slanted()
    stored = frames.convert(normal[:, None, None].expand(3, *SIZE), source="opencv", target=frame)
    path = array(tmp_path / "n.npy", stored.permute(1, 2, 0))
    own = row(tmp_path, None, SIZE, normals=path, intrinsics_px=CAMERA)
    geometry = read(own, Declaration(name="own", frame=frame), SIZE)
    assert geometry.normals is not None
    torch.testing.assert_close(geometry.normals, normal[:, None, None].expand(3, *SIZE))


def test_a_row_may_have_normals_alone(tmp_path):
    stored = np.zeros((*SIZE, 3))
    stored[2:, :, 2] = -1
    normals = array(tmp_path / "n.npy", stored)
    own = Row(image=picture(tmp_path / "a.png", SIZE), depth=None, normals=normals)
    geometry = read(own, METRES, SIZE)
    assert torch.equal(geometry.valid.nonzero()[:, 0].unique(), torch.arange(2, 12))
    assert not geometry.depth_m.any()
    with pytest.raises(InputError, match="neither depth nor normals"):
        read(Row(image=own.image, depth=None), METRES, SIZE)


def test_sky_is_where_the_value_says_so_also_on_another_grid(tmp_path):
    codes = np.full((6, 8), 900)
    codes[:2] = 65535
    own = Row(image=picture(tmp_path / "a.png"), depth=grey16(tmp_path / "d.png", codes))
    geometry = read(own, Declaration(name="own", unit="cm", sky=65535), SIZE)
    assert geometry.sky[:4].all()
    assert not geometry.sky[4:].any()
    assert torch.equal(geometry.valid, ~geometry.sky)


def test_relative_zeros_are_values_and_the_mask_alone_says_what_is_not(tmp_path):
    depth = np.zeros(SIZE)
    depth[3] = 1
    own = row(tmp_path, depth, SIZE, intrinsics_px=CAMERA)
    declaration = Declaration(name="own", unit="relative")
    geometry = read(own, declaration, SIZE)
    assert geometry.valid.all()
    assert geometry.normals is None
    assert not can_have_normals(own, declaration)
    assert can_have_normals(own, METRES)


@pytest.mark.parametrize("size", [(12, 17), (16, 12), (6, 9)])
def test_another_aspect_ratio_names_both_sizes(tmp_path, size):
    own = row(tmp_path, plane(size), SIZE)
    with pytest.raises(InputError, match=rf"size {size[1]}x{size[0]} .* image's size 16x12"):
        read(own, METRES, SIZE)


def test_a_file_that_says_something_else_is_refused(tmp_path):
    depth, _ = slanted()
    for about, message in (
        ({"unit": "mm", "quantity": "depth"}, "the file says unit mm, the manifest m"),
        ({"unit": None}, "the file says unit relative, the manifest m"),
        ({"unit": "m", "quantity": "disparity"}, "says quantity disparity, the manifest depth"),
    ):
        maps.write_depth(tmp_path / "d.npz", depth, about)
        own = Row(image=tmp_path / "a.png", depth=tmp_path / "d.npz")
        with pytest.raises(InputError, match=message):
            read(own, METRES, SIZE)
    maps.write_depth(tmp_path / "d.npz", depth, {"unit": None, "invariance": "affine"})
    declaration = Declaration(name="own", unit="relative", quantity="disparity")
    with pytest.raises(InputError, match="up to scale and shift has no depth"):
        read(Row(image=tmp_path / "a.png", depth=tmp_path / "d.npz"), declaration, SIZE)
    maps.write_normals(tmp_path / "n.npz", np.ones((*SIZE, 3), np.float32) / 2, {"frame": "dsine"})
    own = Row(image=tmp_path / "a.png", depth=None, normals=tmp_path / "n.npz")
    with pytest.raises(InputError, match="the file says frame dsine, the manifest opencv"):
        read(own, METRES, SIZE)


def test_the_matrix_takes_points_to_their_pixels(tmp_path):
    camera = frame_geometry.camera_of(
        Row(image=tmp_path, depth=None, intrinsics_px=CAMERA), image=SIZE, grid=SIZE
    )
    assert camera is not None
    points = camera.points(torch.rand(SIZE, generator=torch.Generator().manual_seed(0)) + 1)
    pixels = torch.einsum("ij,jhw->ihw", frame_geometry.matrix(camera), points)
    columns = (pixels[0] / pixels[2]).mean(dim=0)
    torch.testing.assert_close(columns, torch.arange(16) + 0.5)
