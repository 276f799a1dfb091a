import pytest
import torch

from monostep.data.procedural import camera
from monostep.data.procedural.furniture import ball, block, column
from monostep.data.procedural.stage import ROOM, Solid
from monostep.data.procedural.surface import surface
from monostep.data.procedural.trace import trace

SIZE = (48, 64)


def seen(scene):
    direction = camera.rays(scene.focal, SIZE)
    return surface(scene, trace(scene, direction), direction)


def test_the_ground_faces_up_and_the_wall_ahead_faces_the_camera(set_up, grey):
    found = seen(
        set_up([block((0, 0, -1), (99, 99, 1), grey), block((0, 9, 0), (99, 1, 99), grey)])
    )
    normal = torch.stack(found.normal, dim=1)
    torch.testing.assert_close(normal[0, :, -1, 32], torch.tensor([0.0, -1.0, 0.0]))
    torch.testing.assert_close(normal[0, :, 0, 32], torch.tensor([0.0, 0.0, -1.0]))
    assert found.point_m[2][0, 0, 0] == 8


def test_a_sphere_has_the_normals_of_its_equation(set_up, grey):
    found = seen(set_up([ball((0, 4, 1), (1, 1, 1), grey)]))
    x, y, z = found.point_m
    radial = torch.stack([x, y, z - 4], dim=1)
    got = torch.stack(found.normal, dim=1)
    inside = found.present & (radial[:, 2] < -0.2)
    cosine = (radial * got).sum(1)[inside]
    torch.testing.assert_close(cosine, torch.ones_like(cosine), atol=1e-4, rtol=0)


def test_a_cylinder_has_a_flat_top_and_a_round_side(set_up, grey):
    found = seen(set_up([column((0, 4, 0), 1, 1, grey)], height_m=2.5, pitch_rad=-0.5))
    up = torch.tensor([0.0, -torch.cos(torch.tensor(0.5)), -torch.sin(torch.tensor(0.5))])
    upward = sum(n * u for n, u in zip(found.normal, up, strict=True))[found.present]
    on_top, on_side = (upward - 1).abs() < 1e-5, upward.abs() < 1e-5
    assert (on_top | on_side).all()
    assert on_top.any()
    assert on_side.any()


def test_the_six_faces_of_a_room_have_their_own_materials(set_up, grey):
    room = Solid(shape=ROOM, centre_m=(0, 0, 1), half_m=(2, 3, 1), material=grey, faces=(grey,) * 6)
    ahead = seen(set_up([room], focal=0.3)).material
    back = seen(set_up([room], focal=0.3, yaw_rad=3.14159)).material
    assert [ahead[0, 24, i].item() for i in (0, 32, -1)] == [0, 3, 1]
    assert [ahead[0, i, 32].item() for i in (0, -1)] == [5, 4]
    assert [back[0, 24, i].item() for i in (0, 32, -1)] == [1, 2, 0]


@pytest.mark.parametrize("half_m", [(1.0, 1.0, 1.0), (0.2, 0.9, 0.4)])
def test_normals_face_the_camera_up_to_the_outline(set_up, grey, half_m):
    found = seen(set_up([ball((0.2, 2, 1), half_m, grey)]))
    towards = camera.dot(found.normal, camera.rays(torch.tensor([0.8]), SIZE))
    assert (towards[found.present] < 0).all()
