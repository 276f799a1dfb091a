from math import inf, nan

import pytest
import torch

from monostep.data.manifest import Declaration
from monostep.data.metres import UNITS_IN_A_METRE, is_sky, z_depth
from monostep.geometry.camera import Camera

CAMERA = Camera(focal_x_px=5, focal_y_px=6, centre_x_px=3.5, centre_y_px=2)
RAYS = CAMERA.rays(6, 8)


def stored(scale=1.0):
    return scale * (1 + torch.rand(6, 8, generator=torch.Generator().manual_seed(0)))


def declared(**fields):
    return Declaration(**{"name": "own", **fields})


@pytest.mark.parametrize("unit", ["m", "cm", "mm", "km"])
def test_the_same_depth_in_every_unit(unit):
    depth, valid = z_depth(stored(UNITS_IN_A_METRE[unit]), declared(unit=unit), None)
    torch.testing.assert_close(depth, stored(), rtol=1e-6, atol=0)
    assert valid.all()


def test_uint16_millimetres_are_their_quotient_by_1000():
    codes = torch.arange(1, 65536, dtype=torch.float32)[None]
    depth, valid = z_depth(codes, declared(unit="mm"), None)
    assert valid.all()
    assert torch.equal(depth, (codes.double() / 1000).float())


def test_distance_is_depth_along_the_ray():
    points = CAMERA.points(stored())
    depth, _ = z_depth(points.norm(dim=0), declared(quantity="distance"), RAYS)
    torch.testing.assert_close(depth, stored(), rtol=1e-6, atol=0)
    assert depth[0, 0] < points.norm(dim=0)[0, 0]


def test_disparity_is_the_baseline_by_the_depth():
    disparity = 994.978 * 0.193 / stored()
    disparity[0, :2] = torch.tensor([0.0, -1.0])
    declaration = declared(quantity="disparity", baseline_px=994.978 * 0.193)
    depth, valid = z_depth(disparity, declaration, None)
    torch.testing.assert_close(depth[1:], stored()[1:], rtol=1e-6, atol=0)
    assert valid.flatten().tolist() == [False, False] + [True] * 46
    assert depth[0, :2].tolist() == [0, 0]


def test_what_is_no_depth_is_0_and_invalid():
    values = torch.tensor([[nan, inf, -inf, -1.0, 0.0, 1e-5, 80.0, 79.0]])
    depth, valid = z_depth(values, declared(most_m=80.0), None)
    assert valid[0].tolist() == [False] * 7 + [True]
    assert depth[0].tolist() == [0.0] * 7 + [79.0]


def test_limits_are_metres_whatever_the_unit():
    values = torch.tensor([[9.0, 799.0, 8000.0]])
    declaration = declared(unit="cm", least_m=0.1, most_m=80.0)
    assert z_depth(values, declaration, None)[1].tolist() == [[False, True, False]]


def test_relative_values_stay_as_they_are_and_0_is_one():
    values = torch.tensor([[0.0, -3.0, 7.0, nan]])
    depth, valid = z_depth(values, declared(unit="relative"), None)
    assert depth.tolist() == [[0.0, -3.0, 7.0, 0.0]]
    assert valid.tolist() == [[True, True, True, False]]


def test_relative_disparity_is_the_inverse_up_to_scale():
    depth, valid = z_depth(
        torch.tensor([[0.5, 0.0, 4.0, 1e-45]]),
        declared(unit="relative", quantity="disparity"),
        None,
    )
    assert depth.tolist() == [[2.0, 0.0, 0.25, 0.0]]
    assert valid.tolist() == [[True, False, True, False]]


@pytest.mark.parametrize("sky", [65535.0, inf])
def test_sky_is_known_by_the_stored_value_and_is_no_depth(sky):
    values = torch.tensor([[sky, 100.0]])
    declaration = declared(unit="cm", sky=sky)
    assert is_sky(values, declaration).tolist() == [[True, False]]
    assert z_depth(values, declaration, None)[1].tolist() == [[False, True]]
    assert not is_sky(values, declared()).any()
