import numpy as np
import pytest
import torch

from monostep.losses.depth import (
    affine_invariant_l1,
    aligned_residual,
    clipped,
    normalised,
    normalised_l1,
    quantiles,
)

UNITS = ["metre", "image", "relative"]


@pytest.fixture
def maps():
    generator = torch.Generator().manual_seed(0)
    predicted = torch.rand(4, 12, 16, generator=generator) * 2 - 1
    truth = 1 + 9 * torch.rand(4, 12, 16, generator=generator)
    weight = (torch.rand(4, 12, 16, generator=generator) > 0.3).float()
    return predicted, truth, weight


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("scale", "shift"), [(7.0, 0.0), (1e-2, 0.5), (1.0, -3.0), (300.0, 40.0)])
def test_scale_and_shift_of_the_prediction_do_not_matter(maps, unit, scale, shift):
    predicted, truth, weight = maps
    loss = affine_invariant_l1(predicted, truth, weight, unit=unit)
    other = affine_invariant_l1(scale * predicted + shift, truth, weight, unit=unit)
    torch.testing.assert_close(other, loss, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("scale", "shift"), [(7.0, 0.0), (1e-2, 0.5), (50.0, 3.0)])
def test_in_units_of_the_image_scale_and_shift_of_the_truth_do_not_matter(maps, scale, shift):
    predicted, truth, weight = maps
    loss = affine_invariant_l1(predicted, truth, weight, unit="image")
    other = affine_invariant_l1(predicted, scale * truth + shift, weight, unit="image")
    torch.testing.assert_close(other, loss, rtol=1e-4, atol=1e-6)


def test_in_metres_it_grows_with_the_scale_of_the_truth(maps):
    predicted, truth, weight = maps
    loss = affine_invariant_l1(predicted, truth, weight)
    torch.testing.assert_close(affine_invariant_l1(predicted, 3 * truth, weight), 3 * loss)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("scale", "shift"), [(4.0, 5.0), (0.03, 0.5), (-2.0, 9.0)])
def test_it_is_zero_where_an_exact_affine_relation_holds(maps, unit, scale, shift):
    predicted, _, weight = maps
    loss = affine_invariant_l1(predicted, scale * predicted + shift, weight, unit=unit)
    assert (loss < 1e-5).all()


def test_mirroring_both_maps_changes_nothing(maps):
    loss = affine_invariant_l1(*maps)
    mirrored = affine_invariant_l1(*(one.flip(-1) for one in maps))
    torch.testing.assert_close(mirrored, loss, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("rubbish", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_pixels_without_weight_are_ignored_whatever_is_there(maps, unit, rubbish):
    predicted, truth, weight = maps
    off = weight == 0
    spoilt = truth.masked_fill(off, rubbish)
    wanted = affine_invariant_l1(predicted, truth, weight, unit=unit)
    torch.testing.assert_close(
        affine_invariant_l1(predicted, spoilt, weight, unit=unit), wanted, rtol=0, atol=0
    )
    torch.testing.assert_close(
        affine_invariant_l1(predicted.masked_fill(off, rubbish), truth, weight, unit=unit),
        wanted,
        rtol=0,
        atol=0,
    )


@pytest.mark.parametrize("unit", UNITS)
def test_rubbish_without_weight_leaves_the_gradient_alone(maps, unit):
    predicted, truth, weight = maps
    gradients = []
    for given in (truth, truth.masked_fill(weight == 0, float("nan"))):
        leaf = predicted.clone().requires_grad_()
        affine_invariant_l1(leaf, given, weight, unit=unit).sum().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=0, atol=0)


def _one_pixel(weight):
    alone = torch.zeros_like(weight)
    alone[:, 3, 4] = 1
    return alone


EDGES = {
    "perfect agreement": lambda p, _t, w: (p, p.clone(), w),
    "exact affine relation": lambda p, _t, w: (p, 3 * p + 2, w),
    "constant prediction": lambda p, t, w: (torch.full_like(p, 0.3), t, w),
    "zero prediction": lambda p, t, w: (torch.zeros_like(p), t, w),
    "constant truth": lambda p, t, w: (p, torch.full_like(t, 4.0), w),
    "both constant": lambda p, t, w: (torch.ones_like(p), torch.ones_like(t), w),
    "one pixel": lambda p, t, w: (p, t, _one_pixel(w)),
    "no pixel": lambda p, t, w: (p, t, torch.zeros_like(w)),
}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("edge", EDGES)
def test_value_and_gradient_are_finite_at_every_edge(maps, unit, edge):
    predicted, truth, weight = EDGES[edge](*maps)
    leaf = predicted.clone().requires_grad_()
    loss = affine_invariant_l1(leaf, truth, weight, unit=unit)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(leaf.grad).all()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("edge", ["one pixel", "no pixel", "constant truth"])
def test_it_is_zero_where_there_is_nothing_to_learn(maps, unit, edge):
    loss = affine_invariant_l1(*EDGES[edge](*maps), unit=unit)
    assert (loss < 1e-6).all()


def test_it_agrees_with_numpy_least_squares_in_float64(maps):
    predicted, truth, weight = maps
    losses = affine_invariant_l1(predicted, truth, weight)
    for p, t, w, loss in zip(*(one.double().numpy() for one in maps), losses, strict=True):
        used = w > 0
        system = np.stack([p[used], np.ones(used.sum())], axis=1)
        (scale, shift), *_ = np.linalg.lstsq(system, t[used], rcond=None)
        wanted = np.abs(scale * p[used] + shift - t[used]).mean()
        assert float(loss) == pytest.approx(wanted, rel=1e-5)


def test_fractional_weights_are_those_of_weighted_least_squares(maps):
    predicted, truth, _ = maps
    weight = torch.rand(predicted.shape, generator=torch.Generator().manual_seed(5))
    losses = affine_invariant_l1(predicted, truth, weight)
    p, t, w = (one[0].double().numpy().ravel() for one in (predicted, truth, weight))
    system = np.stack([p, np.ones_like(p)], axis=1) * np.sqrt(w)[:, None]
    (scale, shift), *_ = np.linalg.lstsq(system, t * np.sqrt(w), rcond=None)
    wanted = (w * np.abs(scale * p + shift - t)).sum() / w.sum()
    assert float(losses[0]) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("unit", UNITS)
def test_batch_mates_do_not_matter(maps, unit):
    together = affine_invariant_l1(*maps, unit=unit)
    assert together.shape == (4,)
    for row in range(4):
        alone = affine_invariant_l1(*(one[row : row + 1] for one in maps), unit=unit)
        torch.testing.assert_close(alone[0], together[row], rtol=1e-6, atol=0)


def test_a_nearly_constant_prediction_keeps_its_digits_in_float32():
    # The reference solves uncentred normal equations, whose determinant is rounding noise here.
    generator = torch.Generator().manual_seed(1)
    predicted = 0.5 + 1e-4 * torch.randn(1, 96, 128, generator=generator)
    truth = 2 + 5000 * (predicted - 0.5)
    loss = affine_invariant_l1(predicted, truth, torch.ones_like(truth))
    assert float(loss) < 1e-3  # metres, of a truth that varies by half a metre


def test_the_gradient_goes_through_scale_and_shift(maps):
    predicted, truth, weight = (one[:1, :4, :5].double() for one in maps)
    leaf = predicted.float().requires_grad_()
    affine_invariant_l1(leaf, truth.float(), weight.float()).sum().backward()
    # Along the prediction itself and along a constant the loss cannot change.
    on = weight > 0
    assert float((leaf.grad.double() * predicted)[on].sum()) == pytest.approx(0, abs=1e-5)
    assert float(leaf.grad.double()[on].sum()) == pytest.approx(0, abs=1e-5)


def test_normalised_depth_ignores_scale_shift_and_what_has_no_weight(maps):
    _, truth, weight = maps
    expected = normalised(truth, weight)
    assert expected.abs().max() == 1
    torch.testing.assert_close(normalised(3 * truth + 7, weight), expected, rtol=0, atol=1e-5)
    rubbish = torch.where(weight > 0, truth, torch.nan)
    assert torch.equal(normalised(rubbish, weight), expected)
    assert (normalised(truth, torch.zeros_like(weight)) == 0).all()
    assert torch.isfinite(normalised(torch.ones_like(truth), weight)).all()


def test_normalised_depth_agrees_with_numpy_quantiles(maps):
    _, truth, weight = maps
    counted = truth[0][weight[0] > 0].numpy()
    low, high = np.quantile(counted, [0.02, 0.98])
    expected = np.clip(2 * (counted - low) / (high - low) - 1, -1, 1)
    ours = normalised(truth, weight)[0][weight[0] > 0].numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_distance_from_the_normalised_truth_knows_which_end_is_near(maps):
    _, truth, weight = maps
    target = normalised(truth, weight)
    assert normalised_l1(target, 5 * truth + 1, weight).max() < 1e-5
    assert normalised_l1(-target, truth, weight).min() > 0.5


def test_the_mean_of_the_residual_is_the_loss(maps):
    for unit in UNITS:
        residual = aligned_residual(*maps, unit=unit)
        assert (residual[maps[2] == 0] == 0).all()
        means = torch.stack([r[w > 0].abs().mean() for r, w in zip(residual, maps[2], strict=True)])
        torch.testing.assert_close(means, affine_invariant_l1(*maps, unit=unit))


def test_an_exact_affine_relation_of_a_full_size_map_leaves_a_millionth():
    truth = 1 + 9 * torch.rand(1, 480, 640, generator=torch.Generator().manual_seed(2))
    loss = affine_invariant_l1(0.1 * truth - 0.7, truth, torch.ones_like(truth))
    assert float(loss) < 2e-6


def test_quantiles_agree_with_numpy_and_with_torch(maps):
    _, truth, weight = maps
    low, high = quantiles(truth, weight)
    for row in range(4):
        counted = truth[row][weight[row] > 0]
        np.testing.assert_allclose(
            [low[row], high[row]], np.quantile(counted.numpy(), [0.02, 0.98]), rtol=1e-6
        )
        expected = torch.quantile(counted, torch.tensor([0.02, 0.98]))
        assert torch.equal(torch.stack([low[row], high[row]]), expected)


def test_quantiles_of_a_known_ramp():
    ramp = torch.arange(101.0).reshape(1, 1, 101)
    low, high = quantiles(ramp, torch.ones_like(ramp))
    assert (float(low), float(high)) == (2, 98)


def test_clipped_depth_lies_between_its_quantiles_and_keeps_what_does(maps):
    _, truth, weight = maps
    depth, left = clipped(truth, weight)
    low, high = (level[:, None, None] for level in quantiles(truth, weight))
    assert torch.equal(left, weight)
    assert ((depth >= low) & (depth <= high))[weight > 0].all()
    inner = (truth >= low) & (truth <= high)
    assert torch.equal(depth[inner], truth[inner])
    assert torch.equal(depth[truth > high], high.expand_as(truth)[truth > high])
    again, _ = clipped(depth, weight)
    assert ((again - depth).abs() <= 0.2).all()


@pytest.mark.parametrize("edge", ["constant truth", "no pixel", "one pixel"])
def test_of_an_image_without_extent_nothing_is_left(maps, edge):
    _, truth, weight = EDGES[edge](*maps)
    depth, left = clipped(truth, weight)
    assert not left.any()
    assert torch.equal(depth, truth)
