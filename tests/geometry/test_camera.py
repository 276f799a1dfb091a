import math

import torch

from monostep.geometry.camera import Camera

CAMERA = Camera(focal_x_px=100, focal_y_px=120, centre_x_px=20.5, centre_y_px=14)


def test_points_project_back_to_the_pixel_centres_they_came_from():
    depth_m = 1 + torch.rand(30, 40, generator=torch.Generator().manual_seed(0))
    x, y, z = CAMERA.points(depth_m)
    columns = x / z * CAMERA.focal_x_px + CAMERA.centre_x_px
    rows = y / z * CAMERA.focal_y_px + CAMERA.centre_y_px
    torch.testing.assert_close(z, depth_m)
    torch.testing.assert_close(columns, (torch.arange(40) + 0.5).expand(30, 40))
    torch.testing.assert_close(rows, (torch.arange(30) + 0.5)[:, None].expand(30, 40))


def test_x_grows_to_the_right_and_y_downwards():
    x, y, z = CAMERA.rays(30, 40)
    assert (x.diff(dim=1) > 0).all()
    assert (y.diff(dim=0) > 0).all()
    assert (z == 1).all()


def test_the_ray_through_the_principal_point_is_the_axis():
    assert CAMERA.rays(30, 40)[0, :, 20].abs().max() == 0  # the centre of column 20 is 20.5


def test_a_quarter_turn_is_seen_by_a_focal_length_of_half_the_width():
    camera = Camera(focal_x_px=50, focal_y_px=50, centre_x_px=50, centre_y_px=30)
    left, right = camera.rays(60, 100)[0, 0, [0, -1]]
    angle = math.degrees(math.atan(right) - math.atan(left))
    assert 89 < angle < 90  # between pixel centres, half a pixel from each edge
    torch.testing.assert_close(left, -right)


def test_points_keep_the_depths_type():
    assert CAMERA.points(torch.ones(3, 4, dtype=torch.float64)).dtype == torch.float64
