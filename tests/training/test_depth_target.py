import dataclasses

import pytest
import torch

from monostep.data.procedural import render
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


def test_sky_and_far_surfaces_count_a_little_as_far(samples):
    depth_m, weight = far_depth(samples, _config("far_m=3.0", "sky_weight=0.25"))
    far = samples.sky | (samples.valid & (samples.depth_m > 3))
    assert far.any()
    assert (depth_m[far] == 3).all()
    assert (weight[far] == 0.25).all()
    assert (weight[samples.valid & ~far] == 1).all()


def test_the_weight_is_multiplied_by_the_trust(samples):
    trust = torch.rand(samples.depth_m.shape, generator=torch.Generator().manual_seed(0))
    trusted = dataclasses.replace(samples, confidence=trust)
    _, weight = far_depth(samples, _config())
    _, less = far_depth(trusted, _config())
    torch.testing.assert_close(less, weight * trust)


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
