import math

import pytest
import torch
from torch.nn import functional as F

from monostep.losses.normals import angle, angular


def _unit(seed, count=2):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(count, 3, 9, 11, generator=generator), dim=1)


ONE = torch.ones(2, 9, 11)


def test_agreement_is_zero():
    vectors = _unit(0)
    assert angle(vectors, vectors).max() < 2e-6
    assert angular(vectors, vectors, ONE).max() < 2e-6


def test_opposition_is_pi():
    vectors = _unit(0)
    assert (angle(vectors, -vectors) - math.pi).abs().max() < 2e-6


def test_it_is_symmetric():
    torch.testing.assert_close(angle(_unit(0), _unit(1)), angle(_unit(1), _unit(0)))


@pytest.mark.parametrize("seed", [3, 4])
def test_rotating_both_changes_nothing(seed):
    generator = torch.Generator().manual_seed(seed)
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, generator=generator))
    a, b = _unit(0), _unit(1)
    turned = [torch.einsum("ij,bjhw->bihw", rotation, one) for one in (a, b)]
    torch.testing.assert_close(angle(*turned), angle(a, b), rtol=0, atol=2e-6)


def test_away_from_the_ends_it_is_the_arc_cosine():
    a, b = _unit(0), _unit(1)
    cosine = (a.double() * b.double()).sum(dim=1)
    inner = cosine.abs() < 0.999
    torch.testing.assert_close(
        angle(a, b)[inner], cosine.acos().float()[inner], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("degrees", [0.01, 0.1, 1.0])
def test_small_angles_keep_their_digits(degrees):
    radians = math.radians(degrees)
    a = torch.tensor([0.0, 0.0, 1.0]).reshape(1, 3, 1, 1)
    b = torch.tensor([math.sin(radians), 0.0, math.cos(radians)]).reshape(1, 3, 1, 1)
    assert float(angle(a, b)) == pytest.approx(radians, rel=1e-4)


def _gradient(predicted, truth, weight):
    leaf = predicted.clone().requires_grad_()
    loss = angular(leaf, truth, weight)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    return leaf.grad


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("weight", [ONE, torch.zeros_like(ONE)], ids=["weight 1", "weight 0"])
def test_gradients_are_finite_at_agreement_and_opposition(sign, weight):
    axis = torch.zeros(2, 3, 9, 11)
    axis[:, 2] = -1
    for truth in (_unit(0), axis):
        assert torch.isfinite(_gradient(sign * truth, truth, weight)).all()


def test_gradients_are_finite_where_truth_is_the_zero_vector():
    assert torch.isfinite(_gradient(_unit(0), torch.zeros(2, 3, 9, 11), ONE)).all()


def test_without_weight_there_is_neither_loss_nor_gradient():
    zero = torch.zeros_like(ONE)
    assert angular(_unit(0), _unit(1), zero).tolist() == [0, 0]
    assert not _gradient(_unit(0), _unit(1), zero).any()


def test_pixels_without_weight_are_ignored():
    weight = ONE.clone()
    weight[:, :4] = 0
    truth = _unit(1)
    spoilt = truth.clone()
    spoilt[:, :, :4] = float("nan")
    torch.testing.assert_close(
        angular(_unit(0), spoilt, weight), angular(_unit(0), truth, weight), rtol=0, atol=0
    )


def test_rubbish_without_weight_leaves_the_gradient_finite():
    weight = ONE.clone()
    weight[:, :4] = 0
    spoilt = _unit(1)
    spoilt[:, :, :4] = float("nan")
    assert torch.isfinite(_gradient(_unit(0), spoilt, weight)).all()


def test_a_step_against_the_gradient_turns_towards_the_truth():
    predicted, truth = _unit(0), _unit(1)
    moved = F.normalize(predicted - 0.5 * _gradient(predicted, truth, ONE), dim=1)
    assert (angular(moved, truth, ONE) < angular(predicted, truth, ONE)).all()


def test_batch_mates_do_not_matter():
    together = angular(_unit(0), _unit(1), ONE)
    alone = angular(_unit(0)[:1], _unit(1)[:1], ONE[:1])
    torch.testing.assert_close(alone[0], together[0], rtol=1e-6, atol=0)
