import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monostep.errors import InputError
from monostep.geometry.d2nt import PER_M, normals_from_depth


def camera(focal=725.0, centre_x=30.0, centre_y=20.0):
    return torch.tensor([[focal, 0, centre_x], [0, focal, centre_y], [0, 0, 1.0]])


def rays(height, width, intrinsics):
    v, u = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    pixels = torch.stack([u, v, torch.ones_like(u)]).double()
    return torch.einsum("ij,jhw->ihw", intrinsics.double().inverse(), pixels)


def plane(normal, distance, size, intrinsics):
    """Depth of the points p with normal . p = -distance, seen from the side it faces."""
    return -distance / (normal[:, None, None] * rays(*size, intrinsics)).sum(0)


def degrees(a, b):
    return torch.rad2deg(torch.atan2(torch.linalg.cross(a, b, dim=0).norm(dim=0), (a * b).sum(0)))


def rough(seed=0, size=(24, 31)):
    """Slopes with steps of metres and ripples of centimetres: every branch of the selection."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda: torch.rand(size, generator=generator, dtype=torch.float64)  # noqa: E731
    x = torch.linspace(0, 1, size[1], dtype=torch.float64)
    return 3 + 2 * x + 5 * (draw() > 0.8) + 0.02 * draw()


@settings(max_examples=100, deadline=None)
@given(
    tilt=st.floats(0, 1.2),
    turn=st.floats(0, 2 * math.pi),
    distance=st.floats(1, 20),
)
def test_a_plane_has_its_normal_within_a_twentieth_of_a_degree(tilt, turn, distance):
    normal = torch.tensor(
        [math.sin(tilt) * math.cos(turn), math.sin(tilt) * math.sin(turn), -math.cos(tilt)],
        dtype=torch.float64,
    )
    intrinsics = camera()
    depth_m = plane(normal, distance, (40, 60), intrinsics)
    found = normals_from_depth(depth_m, intrinsics)
    off = degrees(found, normal[:, None, None].expand_as(found))
    assert off[3:-3, 3:-3].max() < 0.05
    assert off.max() < 0.15  # the border has differences to one side only


def test_constant_depth_faces_the_camera():
    for size in ((2, 2), (5, 9)):
        found = normals_from_depth(torch.full(size, 7.0), camera())
        assert torch.equal(found, torch.tensor([0, 0, -1.0])[:, None, None].expand(3, *size))


def test_normals_are_finite_unit_and_facing_whatever_the_depth():
    depth_m = torch.cat([rough(1), torch.full((3, 31), 655.35), torch.full((3, 31), 1e-4)]).float()
    intrinsics = camera()
    found = normals_from_depth(depth_m, intrinsics)
    assert found.dtype == torch.float32
    assert torch.allclose(found.norm(dim=0), torch.ones(30, 31), atol=1e-6)
    # A neighbour's normal faces that neighbour's ray: half a pixel's angle of slack.
    assert ((found * rays(30, 31, intrinsics)).sum(0) < 2 / 725).all()


@pytest.mark.parametrize("factor", [0.01, 3.0, 100.0])
def test_the_unit_of_depth_does_not_matter_if_the_weights_follow(factor):
    depth_m, intrinsics = rough(2), camera()
    scaled = normals_from_depth(factor * depth_m, intrinsics, weight_per_m=PER_M / factor)
    assert torch.allclose(scaled, normals_from_depth(depth_m, intrinsics), atol=1e-9)
    sharp = normals_from_depth(depth_m, intrinsics, weight_per_m=PER_M / 100)
    assert not torch.allclose(sharp, normals_from_depth(depth_m, intrinsics), atol=1e-3)


def test_a_mirrored_scene_has_mirrored_normals_where_there_is_no_tie():
    depth_m, intrinsics = rough(3), camera()
    mirrored = intrinsics.clone()
    mirrored[0, 2] = 31 - intrinsics[0, 2]
    found = normals_from_depth(depth_m.flip(1), mirrored).flip(2)
    expected = normals_from_depth(depth_m, intrinsics) * torch.tensor([-1, 1, 1])[:, None, None]
    assert torch.allclose(found, expected, atol=1e-9)


def test_transposing_the_scene_swaps_x_and_y():
    depth_m, intrinsics = rough(4), camera()
    swapped = intrinsics[[1, 0, 2]][:, [1, 0, 2]]
    found = normals_from_depth(depth_m.T, swapped).transpose(1, 2)[[1, 0, 2]]
    assert torch.allclose(found, normals_from_depth(depth_m, intrinsics), atol=1e-9)


def test_on_a_tie_the_left_neighbour_lends_its_normal():
    depth_m = torch.full((5, 8), 4.0)
    depth_m[:, 4:] = 6.0  # flat on both sides of a step
    found = normals_from_depth(depth_m, camera())
    facing = torch.tensor([0, 0, -1.0])
    for column in range(8):
        assert torch.allclose(found[:, 2, column], facing, atol=1e-6)


def test_holes_have_no_normal_and_do_not_bend_their_surroundings():
    normal = torch.nn.functional.normalize(torch.tensor([0.3, -0.2, -0.9]).double(), dim=0)
    intrinsics = camera()
    depth_m = plane(normal, 5.0, (20, 30), intrinsics)
    valid = torch.ones(20, 30, dtype=torch.bool)
    valid[5:9, 6:14] = valid[12, 20] = valid[15, 3] = valid[15, 5] = False
    found = normals_from_depth(torch.where(valid, depth_m, torch.nan), intrinsics, valid=valid)
    assert (found[:, ~valid] == 0).all()
    whole = normal[:, None, None].expand_as(found)
    assert degrees(found, whole)[valid].max() < 0.05


def _strips(width, axis):
    line = torch.arange(60 if axis else 40) % (width + 2) < width
    return (line if axis else line[:, None]).expand(40, 60)


HOLES = {
    **{
        f"{share} of the pixels": torch.rand(40, 60, generator=torch.Generator().manual_seed(1))
        >= share
        for share in (0.1, 0.3, 0.6)
    },
    **{f"strips of {w} along {a}": _strips(w, a) for w in (1, 2, 3) for a in (0, 1)},
}


@pytest.mark.parametrize("name", HOLES)
@pytest.mark.parametrize("tilt", [0.0, 0.7, 1.1])
@pytest.mark.parametrize("metres", [0.02, 5.0, 50.0])
def test_a_plane_with_holes_has_its_normal_or_none(name, tilt, metres):
    direction = [math.sin(tilt) * 0.6, math.sin(tilt) * 0.8, -math.cos(tilt)]
    normal = torch.tensor(direction, dtype=torch.float64)
    valid, intrinsics = HOLES[name], camera()
    depth_m = torch.where(valid, plane(normal, metres, (40, 60), intrinsics), torch.nan)
    found = normals_from_depth(depth_m, intrinsics, valid=valid)
    there = found.any(dim=0)
    assert not (there & ~valid).any()
    if "strips of 1" not in name:
        assert there[valid].float().mean() > 0.4
    off = degrees(found, normal[:, None, None].expand_as(found))[there]
    assert off.numel() == 0 or off.max() < 0.5


def test_a_pixel_alone_has_no_normal():
    valid = torch.zeros(6, 6, dtype=torch.bool)
    valid[2, 2] = True
    assert (normals_from_depth(torch.ones(6, 6), camera(), valid=valid) == 0).all()


def test_a_map_of_one_row_is_refused():
    with pytest.raises(InputError, match=r"at least 2 x 2 depths, got \[1, 7\]"):
        normals_from_depth(torch.ones(1, 7), camera())


def mirrored(index, count):
    return -index if index < 0 else (2 * count - 2 - index if index >= count else index)


def depth_at(z, y, x):
    return z[mirrored(y, z.shape[0]), mirrored(x, z.shape[1])]


def steps(z, y, x, dy, dx):
    here = depth_at(z, y, x)
    return here - depth_at(z, y - dy, x - dx), depth_at(z, y + dy, x + dx) - here


def weight(z, y, x, dy, dx):
    if not (0 <= y < z.shape[0] and 0 <= x < z.shape[1]):
        return 0.0
    before, after = steps(z, y, x, dy, dx)
    return math.exp(-abs(before - after))


def gradient(z, y, x, dy, dx):
    first, second = weight(z, y - dy, x - dx, dy, dx), weight(z, y + dy, x + dx, dy, dx)
    a, b = ((w + 0.5e-8) / (1e-8 + first + second) for w in (first, second))
    a = 1.0 if a / (b + 1e-8) > math.e else a
    b = 0.0 if a / (b + 1e-8) > math.e else b
    a = 0.0 if b / (a + 1e-8) > math.e else a
    b = 1.0 if b / (a + 1e-8) > math.e else b
    before, after = steps(z, y, x, dy, dx)
    return a * before + b * after


def by_the_book(depth_m, focal, centre_x, centre_y):
    """The published steps pixel by pixel: centimetres, pixels counted from 1."""
    z = depth_m * 100
    raw, bend = np.zeros((*z.shape, 3)), np.zeros(z.shape)
    for y, x in np.ndindex(*z.shape):
        gu, gv = gradient(z, y, x, 0, 1), gradient(z, y, x, 1, 0)
        u, v = x + 1 - centre_x, y + 1 - centre_y
        n = np.array([focal * gu, focal * gv, -(z[y, x] + v * gv + u * gu)])
        raw[y, x] = n / (np.linalg.norm(n) + 1e-8)
        around = sum(depth_at(z, *p) for p in ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x)))
        bend[y, x] = abs(4 * z[y, x] - around)
    out = np.zeros_like(raw)
    for y, x in np.ndindex(*z.shape):
        places = [(y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x), (y, x)]
        inside = [p for p in places if 0 <= p[0] < z.shape[0] and 0 <= p[1] < z.shape[1]]
        out[y, x] = raw[min(inside, key=lambda p: bend[p])]
    return out


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_published_steps(seed):
    depth_m = rough(seed + 10)
    expected = by_the_book(depth_m.numpy(), 725.0087, 16.0, 11.0)
    # Centres at + 0.5 there and at integers from 1 here: the principal point is one lower.
    found = normals_from_depth(depth_m, camera(725.0087, 15.5, 10.5).double())
    assert np.abs(found.permute(1, 2, 0).numpy() - expected).max() < 1e-6
