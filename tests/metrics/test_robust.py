import math

import pytest
import torch

from monostep.geometry.quantity import from_depth
from monostep.metrics import robust

QUANTITIES = ["depth", "disparity", "sqrt_disparity", "log_depth"]


@pytest.fixture
def scene():
    """Truth in metres, its valid pixels, and 20 % of these that will be wrong."""
    generator = torch.Generator().manual_seed(0)
    truth_m = (2.5 * torch.rand(203, 311, generator=generator, dtype=torch.float64)).exp()
    valid = torch.rand(203, 311, generator=generator) > 0.3
    wrong = valid & (torch.rand(203, 311, generator=generator) < 0.2)
    return truth_m, valid, wrong


def _affine(truth_m, quantity, noise=0.0):
    generator = torch.Generator().manual_seed(1)
    by = noise * torch.randn(truth_m.shape, generator=generator, dtype=torch.float64)
    return (from_depth(truth_m * by.exp(), quantity) - 0.7) / 3


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_an_exact_relation_is_found(scene, quantity):
    truth_m, valid, _ = scene
    found = robust.fit(_affine(truth_m, quantity), truth_m, valid, quantity)
    assert found == pytest.approx((3, 0.7), rel=1e-9)


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("factor", [50.0, 0.02])
def test_gross_outliers_move_nothing(scene, quantity, factor):
    truth_m, valid, wrong = scene
    spoilt = torch.where(wrong, factor * truth_m, truth_m)
    found = robust.fit(_affine(truth_m, quantity), spoilt, valid, quantity)
    assert found == pytest.approx((3, 0.7), rel=1e-6)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_with_noise_the_outliers_move_it_no_more_than_leaving_them_out(scene, quantity):
    truth_m, valid, wrong = scene
    predicted = _affine(truth_m, quantity, noise=0.05)
    spoilt = torch.where(wrong, 50 * truth_m, truth_m)
    found = robust.fit(predicted, spoilt, valid, quantity)
    without = robust.fit(predicted, truth_m, valid & ~wrong, quantity)
    assert found == pytest.approx(without, rel=1e-3)
    assert found == pytest.approx((3, 0.7), rel=0.05)


def test_the_same_comes_every_time_and_from_no_other_generator(scene):
    truth_m, valid, _ = scene
    predicted = _affine(truth_m, "depth", noise=0.3)
    first = robust.fit(predicted, truth_m, valid, "depth")
    torch.manual_seed(5)
    state = torch.get_rng_state()
    assert robust.fit(predicted, truth_m, valid, "depth") == first
    assert torch.equal(torch.get_rng_state(), state)


def test_invalid_pixels_may_hold_anything(scene):
    truth_m, valid, _ = scene
    predicted = _affine(truth_m, "disparity", noise=0.1)
    wanted = robust.fit(predicted, truth_m, valid, "disparity")
    truth_m, predicted = (each.masked_fill(~valid, math.nan) for each in (truth_m, predicted))
    assert robust.fit(predicted, truth_m, valid, "disparity") == wanted


def test_agreement_is_that_of_the_logarithm_of_depth():
    depth_m = torch.tensor([2.0, 2, 2, 2, 2], dtype=torch.float64)
    seen_m = 2 * torch.tensor([-0.21, -0.19, 0, 0.19, 0.21], dtype=torch.float64).exp()
    for quantity in QUANTITIES:
        aligned = from_depth(seen_m, quantity)
        found = robust._agrees(aligned, depth_m, quantity, 0.2)
        assert found.tolist() == [False, True, True, True, False], quantity


def test_truth_of_almost_one_depth_still_has_those_that_agree(scene):
    truth_m, valid, _ = scene
    flat = torch.where(truth_m > 6, truth_m, 2.0)
    found = robust.fit((flat - 0.7) / 3, flat, valid, "depth")
    assert found == pytest.approx((3, 0.7), rel=1e-6)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_constant_gets_the_mean(scene, quantity):
    truth_m, valid, _ = scene
    valid = valid & (torch.arange(311) < 50)  # few enough for all to be drawn
    scale, shift = robust.fit(torch.full_like(truth_m, 0.3), truth_m, valid, quantity)
    assert scale == 0
    assert shift == pytest.approx(from_depth(truth_m[valid], quantity).mean().item())
