from collections import Counter

import pytest
import torch

from monostep.data.procedural.render import render, scene, view

SIZE = (36, 48)
FIELDS = ("image", "depth_m", "normals", "valid", "sky", "intrinsics", "kind")


@pytest.fixture(scope="module")
def samples():
    return render(21, range(9), SIZE)


def test_a_batch_is_bit_for_bit_what_each_is_alone(samples):
    for index in (0, 3, 8):
        alone = render(21, [index], SIZE)
        for name in FIELDS:
            assert torch.equal(getattr(alone, name)[0], getattr(samples, name)[index]), name


def test_seed_and_index_decide_everything(samples):
    assert torch.equal(render(21, [4], SIZE).image, render(21, [4], SIZE).image)
    assert not torch.equal(render(22, [4], SIZE).image[0], samples.image[4])


def test_images_are_in_range_and_not_constant(samples):
    assert samples.image.min() >= 0
    assert samples.image.max() <= 1
    assert (samples.image.flatten(1).std(1) > 0.01).all()


def test_geometry_is_finite_unit_and_facing(samples):
    assert torch.isfinite(samples.depth_m).all()
    assert (samples.depth_m[samples.valid] > 0).all()
    assert (samples.depth_m[~samples.valid] == 0).all()
    assert torch.equal(samples.sky, ~samples.valid)
    length = samples.normals.square().sum(1).sqrt()
    torch.testing.assert_close(length, samples.valid.float(), atol=1e-5, rtol=0)
    assert ((samples.normals * _points(samples)).sum(1)[samples.valid] < 0).all()


def test_normals_agree_with_the_depth_around_them(samples):
    points = _points(samples)
    across = points[:, :, 1:-1, 2:] - points[:, :, 1:-1, :-2]
    down = points[:, :, 2:, 1:-1] - points[:, :, :-2, 1:-1]
    crossed = torch.linalg.cross(down, across, dim=1)
    normals, depth_m = samples.normals[:, :, 1:-1, 1:-1], samples.depth_m[:, 1:-1, 1:-1]
    bend = points[:, 2, 1:-1, 2:] + points[:, 2, 1:-1, :-2] - 2 * depth_m
    smooth = samples.valid[:, 1:-1, 1:-1] & (bend.abs() < 0.01 * depth_m)
    cosine = torch.cosine_similarity(crossed, normals, dim=1)[smooth]
    assert smooth.float().mean() > 0.3
    assert cosine.clamp(-1, 1).acos().rad2deg().median() < 1


def test_the_scene_is_the_same_at_every_size(samples):
    threefold = render(21, range(9), (3 * SIZE[0], 3 * SIZE[1]))
    # the centre of every third pixel is that of a coarse one
    fine = threefold.depth_m[:, 1::3, 1::3]
    same = (fine - samples.depth_m).abs() < 1e-3 * (1 + samples.depth_m)
    assert same.float().mean() > 0.995
    torch.testing.assert_close(threefold.intrinsics[:, :2], samples.intrinsics[:, :2] * 3)


def test_the_kinds_have_their_shares():
    kinds = Counter(int(scene(1, index).kind) for index in range(100))
    assert 30 < kinds[0] < 60
    assert 20 < kinds[1] < 50
    assert 8 < kinds[2] < 32


def test_every_indoor_pixel_is_a_surface(samples):
    assert samples.valid[samples.kind == 0].all()


def test_what_is_rendered_can_take_part_in_training(samples):
    weight = torch.ones((), requires_grad=True)
    (samples.image * weight).sum().backward()
    assert weight.grad is not None


def test_odd_sizes_are_possible():
    assert view(scene(1, 1), (37, 51)).image.shape == (1, 3, 37, 51)


def _points(samples):
    height, width = samples.depth_m.shape[1:]
    focal, centre = samples.intrinsics[:, 0, 0], samples.intrinsics[:, :2, 2]
    x = (torch.arange(width) + 0.5 - centre[:, :1]) / focal[:, None]
    y = (torch.arange(height) + 0.5 - centre[:, 1:]) / focal[:, None]
    x, y = x[:, None].expand(-1, height, -1), y[..., None].expand(-1, -1, width)
    return torch.stack([x, y, torch.ones_like(x)], dim=1) * samples.depth_m[:, None]
