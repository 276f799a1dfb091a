import dataclasses

import pytest
import torch

from monostep.data.procedural import render
from monostep.geometry import alignment
from monostep.geometry.quantity import from_depth
from monostep.losses.depth import quantiles
from monostep.recipes import recipe
from monostep.training.depth_target import far_depth, target
from monostep.training.overriding import override


@pytest.fixture(scope="module")
def samples():
    return render(1, range(4), (16, 16))


def _config(*settings):
    return override(recipe("nano-depth"), settings)


def test_sky_and_what_is_beyond_count_a_little_as_far_as_the_farthest_surface(samples):
    depth_m, weight = far_depth(samples, _config("far_m=3.0", "sky_weight=0.25"))
    far = samples.sky | (samples.valid & (samples.depth_m > 3))
    surface = samples.valid & ~far
    for image in range(4):
        farthest = samples.depth_m[image][surface[image]].amax() if surface[image].any() else 3.0
        assert (depth_m[image][far[image]] == farthest).all()
    assert far.any() and surface.any()
    assert torch.equal(depth_m[surface], samples.depth_m[surface])
    assert (weight[far] == 0.25).all()
    assert (weight[surface] == 1).all()


def test_of_a_sky_alone_the_depth_is_the_limit(samples):
    empty = dataclasses.replace(
        samples, valid=torch.zeros_like(samples.valid), sky=torch.ones_like(samples.sky)
    )
    depth_m, weight = far_depth(empty, _config("far_m=30.0", "sky_weight=0.5"))
    assert (depth_m == 30).all() and (weight == 0.5).all()


def test_an_autoencoder_sees_the_sky_at_the_limit(samples):
    config = override(recipe("miniature-autoencoder"), ["far_m=30.0"])
    depth_m, weight = far_depth(samples, config)
    assert samples.sky.any()
    assert (depth_m[samples.sky] == 30).all()
    assert (weight[samples.sky] == torch.tensor(config.sky_weight)).all()


def test_the_sky_hardly_moves_the_fit_of_the_surfaces():
    """A desk before a window: the scale of a map that is wrong by a tenth of the desk's depth."""
    depth_m = torch.linspace(0.5, 2.0, 16)[None, :, None].expand(1, 16, 16).clone()
    sky = torch.zeros(1, 16, 16, dtype=torch.bool)
    sky[:, 12:] = True
    desk = dataclasses.replace(render(1, [0], (16, 16)), depth_m=depth_m, valid=~sky, sky=sky)
    truth, weight = target(desk, _config("sky_weight=0.03"))
    painted = truth + 0.1 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    with_sky = alignment.fit(painted, truth, weight).scale
    without = alignment.fit(painted, truth, (~sky).float()).scale
    torch.testing.assert_close(with_sky, without, rtol=0.02, atol=0)


@pytest.mark.parametrize("quantity", ["depth", "disparity", "sqrt_disparity", "log_depth"])
def test_the_target_is_the_quantity_of_the_depth(samples, quantity):
    config = _config("depth_unit=metre", f"quantity={quantity}")
    depth_m, expected = far_depth(samples, config)
    values, weight = target(samples, config)
    assert torch.equal(weight, expected)
    assert torch.equal(values, from_depth(depth_m, quantity))


def test_a_clipped_target_lies_between_the_quantiles_of_the_valid_depths(samples):
    config = _config("clip_target=true", "sky_weight=0")
    depth_m, counted = far_depth(samples, config)
    values, weight = target(samples, config)
    low, high = (level[:, None, None] for level in quantiles(depth_m, counted))
    assert torch.equal(weight, counted)
    inside = weight > 0
    assert torch.equal(values[inside], depth_m.clamp(low, high)[inside])
    assert (values != depth_m)[inside].any()


def test_of_a_wall_right_ahead_a_clipped_target_keeps_nothing(samples):
    flat = dataclasses.replace(
        samples,
        depth_m=torch.full_like(samples.depth_m, 2.0),
        valid=torch.ones_like(samples.valid),
        sky=torch.zeros_like(samples.sky),
    )
    _, weight = target(flat, _config("clip_target=true"))
    assert not weight.any()
    _, weight = target(flat, _config())
    assert weight.all()
