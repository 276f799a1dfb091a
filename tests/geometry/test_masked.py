import numpy as np
import pytest
import torch

from monostep.geometry import masked


def test_it_is_numpys_weighted_average():
    values, weight = torch.randn(3, 5, 6), torch.rand(3, 5, 6)
    for got, v, w in zip(masked.mean(values, weight), values, weight, strict=True):
        assert float(got) == pytest.approx(np.average(v.numpy(), weights=w.numpy()), abs=1e-6)


@pytest.mark.parametrize("rubbish", [float("nan"), float("inf")])
def test_what_has_no_weight_may_be_anything(rubbish):
    values = torch.ones(1, 2, 2)
    values[0, 0, 0] = rubbish
    weight = torch.ones(1, 2, 2)
    weight[0, 0, 0] = 0
    leaf = values.requires_grad_()
    mean = masked.mean(leaf, weight)
    mean.sum().backward()
    assert mean.item() == 1
    assert leaf.grad is not None
    assert leaf.grad.flatten().tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])


def test_without_any_weight_it_is_0_with_gradient_0():
    values = torch.randn(2, 3, 3, requires_grad=True)
    mean = masked.mean(values, torch.zeros(2, 3, 3))
    mean.sum().backward()
    assert mean.tolist() == [0, 0]
    assert values.grad is not None
    assert not values.grad.any()


def test_the_size_of_the_weights_does_not_matter():
    values, weight = torch.randn(2, 4, 4), torch.rand(2, 4, 4)
    torch.testing.assert_close(masked.mean(values, 100 * weight), masked.mean(values, weight))
