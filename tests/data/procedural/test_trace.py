import torch

from monostep.data.procedural import camera
from monostep.data.procedural.furniture import ball, block
from monostep.data.procedural.trace import lit, trace

SIZE = (24, 32)


def test_the_ground_is_as_deep_as_the_pinhole_equation_says(set_up, grey):
    one = set_up([block((0, 0, -1), (1000, 1000, 1), grey)], height_m=1.5)
    hit = trace(one, camera.rays(one.focal, SIZE))
    rows = torch.arange(24) + 0.5 - 12
    depth_m = 1.5 * 0.8 * 32 / rows[14:]
    torch.testing.assert_close(hit.t[0, 14:], depth_m[:, None].expand(10, 32), rtol=1e-5, atol=0)
    assert (hit.solid[0, :12] == -1).all()


def test_a_sphere_is_as_deep_as_the_quadratic_says(set_up, grey):
    one = set_up([ball((0.3, 4, 1.2), (0.9, 0.9, 0.9), grey)])
    x, y, z = (p.double() for p in camera.rays(one.focal, SIZE))
    # right 0.3, up 0.2 from the camera at height 1
    a, b = x * x + y * y + z * z, x * 0.3 + y * -0.2 + z * 4
    root = b * b - a * (0.3**2 + 0.2**2 + 16 - 0.81)
    expected = torch.where(root > 0, (b - root.clamp_min(0).sqrt()) / a, torch.inf)
    clear = root.abs() > 1e-3
    hit = trace(one, camera.rays(one.focal, SIZE))
    torch.testing.assert_close(hit.t[clear], expected[clear].float(), rtol=1e-5, atol=1e-5)


def test_the_nearer_solid_wins_whatever_the_order(set_up, grey):
    near, far = block((0, 3, 1), (0.2, 0.2, 0.2), grey), block((0, 6, 1), (1, 1, 1), grey)
    for solids, number in (([near, far], 0), ([far, near], 1)):
        one = set_up(solids)
        hit = trace(one, camera.rays(one.focal, SIZE))
        assert hit.solid[0, 12, 16] == number
        torch.testing.assert_close(hit.t[0, 12, 16], torch.tensor(2.8))


def test_a_point_behind_a_solid_is_in_the_dark(set_up, grey):
    one = set_up([block((0, 3, 1), (0.5, 0.5, 0.5), grey)])
    # camera frame: points right of, and behind, a block 3 m ahead; the light is at the camera
    points = tuple(p[None, None] for p in torch.tensor([[2.0, 0.0, 6.0], [0.0, 0.0, 6.0]]).T)
    slack = torch.full((1, 1, 2), 0.005)
    assert lit(one, torch.zeros(1, 3), points, slack, slack > 0).flatten().tolist() == [True, False]


def test_a_surface_does_not_shadow_itself(set_up, grey):
    one = set_up([block((0, 3, 1), (0.5, 0.5, 0.5), grey)])
    points = tuple(p[None, None] for p in torch.tensor([[0.1, 0.1, 2.5]]).T)
    slack = torch.full((1, 1, 1), 0.005)
    assert lit(one, torch.zeros(1, 3), points, slack, slack > 0).all()
