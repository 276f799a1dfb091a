import torch

from monostep.data.procedural import camera


def test_rays_go_through_pixel_centres_and_agree_with_the_intrinsics():
    focal = torch.tensor([0.7, 1.3])
    size = (3, 5)
    x, y, z = torch.broadcast_tensors(*camera.rays(focal, size))
    rays = torch.stack([x, y, z], dim=-1)
    pixels = torch.einsum("bij,bhwj->bhwi", camera.intrinsics(focal, size), rays)
    columns, rows = torch.arange(5) + 0.5, torch.arange(3) + 0.5
    torch.testing.assert_close(pixels[..., 0], columns.expand(2, 3, 5))
    torch.testing.assert_close(pixels[..., 1], rows[:, None].expand(2, 3, 5))


def test_rays_without_margin_go_through_the_corners():
    x, y, _ = camera.rays(torch.tensor([0.5]), (2, 4), margin=0.0)
    assert x.shape == (1, 1, 5)
    assert y.shape == (1, 3, 1)
    assert x.flatten().tolist() == [-1, -0.5, 0, 0.5, 1]


def test_unit_and_dot():
    v = (torch.tensor(3.0), torch.tensor(0.0), torch.tensor(4.0))
    torch.testing.assert_close(camera.dot(v, v), torch.tensor(25.0))
    torch.testing.assert_close(torch.stack(camera.unit(v)), torch.tensor([0.6, 0.0, 0.8]))
