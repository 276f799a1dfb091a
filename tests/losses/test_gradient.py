import numpy as np
import pytest
import torch

from monostep.losses.depth import aligned_residual
from monostep.losses.gradient import gradient_matching


def _maps(size=(13, 18)):
    generator = torch.Generator().manual_seed(0)
    residual = torch.randn(2, *size, generator=generator)
    weight = torch.rand(2, *size, generator=generator) * (
        torch.rand(2, *size, generator=generator) > 0.3
    )
    return residual, weight


def test_it_is_zero_for_maps_in_an_affine_relation():
    truth, weight = _maps()
    residual = aligned_residual(0.2 * truth - 3, truth, weight)
    assert gradient_matching(residual, weight, scales=4).max() < 1e-5


def test_a_constant_added_to_the_residual_changes_nothing():
    residual, weight = _maps()
    torch.testing.assert_close(
        gradient_matching(residual + 5, weight, scales=3),
        gradient_matching(residual, weight, scales=3),
        rtol=1e-5,
        atol=1e-5,
    )


def test_it_grows_with_the_residual():
    residual, weight = _maps()
    torch.testing.assert_close(
        gradient_matching(-2 * residual, weight, scales=3),
        2 * gradient_matching(residual, weight, scales=3),
    )


@pytest.mark.parametrize("slope", [0.5, -2.0])
def test_of_a_ramp_it_is_the_slope_doubled_at_every_scale(slope):
    ramp = (slope * torch.arange(16.0)).expand(1, 16, 16).clone()
    loss = gradient_matching(ramp, torch.ones_like(ramp), scales=3)
    assert float(loss) == pytest.approx(abs(slope) * (1 + 2 + 4))
    assert float(gradient_matching(ramp.mT, torch.ones_like(ramp), scales=3)) == float(loss)


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_it_agrees_with_loops_in_numpy(scales):
    residual, weight = _maps()
    losses = gradient_matching(residual, weight, scales=scales)
    for r, w, loss in zip(residual.numpy(), weight.numpy(), losses, strict=True):
        total = 0.0
        for k in range(scales):
            step = 2**k
            small, counted = r[::step, ::step], w[::step, ::step]
            for axis in (0, 1):
                before = np.delete(counted, -1, axis=axis)
                after = np.delete(counted, 0, axis=axis)
                total += np.average(np.abs(np.diff(small, axis=axis)), weights=before * after)
        assert float(loss) == pytest.approx(total, rel=1e-5)


def test_steps_to_pixels_without_weight_do_not_count():
    residual, weight = _maps()
    weight[:, 4:7, 5:9] = 0
    spoilt = residual.clone()
    spoilt[:, 4:7, 5:9] = 1e6
    torch.testing.assert_close(
        gradient_matching(spoilt, weight, scales=2), gradient_matching(residual, weight, scales=2)
    )


def test_mirroring_changes_nothing_at_the_finest_scale():
    residual, weight = _maps()
    torch.testing.assert_close(
        gradient_matching(residual.flip(-1), weight.flip(-1), scales=1),
        gradient_matching(residual, weight, scales=1),
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (3, 3)])
def test_scales_too_coarse_for_the_picture_add_nothing(size):
    residual, _ = _maps(size)
    residual.requires_grad_()
    loss = gradient_matching(residual, torch.ones_like(residual), scales=6)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(residual.grad).all()
    if size == (1, 1):
        assert loss.tolist() == [0, 0]


def test_gradients_are_finite_at_zero_and_without_weight():
    residual, weight = _maps()
    for given, counted in ((0 * residual, weight), (residual, 0 * weight)):
        leaf = given.clone().requires_grad_()
        loss = gradient_matching(leaf, counted, scales=4)
        loss.sum().backward()
        assert loss.tolist() == [0, 0]
        assert torch.isfinite(leaf.grad).all()


def test_batch_mates_do_not_matter():
    residual, weight = _maps()
    together = gradient_matching(residual, weight, scales=3)
    alone = gradient_matching(residual[1:], weight[1:], scales=3)
    torch.testing.assert_close(alone[0], together[1])
