import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monostep.feedforward.double import Double, doubled_taps

SIDES = [(n, to) for n in range(1, 6) for to in (2 * n, 2 * n - 1)]


def _double(conv, dtype):
    """The layer that does what an enlargement and this convolution do."""
    layer = Double(conv.in_channels).to(dtype)
    layer.weight.data = doubled_taps(conv.weight.data)
    layer.bias.data = conv.bias.data
    return layer


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize(("rows", "to_rows"), SIDES)
def test_double_is_enlargement_and_convolution(rows, to_rows, dtype, near):
    conv = nn.Conv2d(3, 3, 3, padding=1).to(dtype)
    layer = _double(conv, dtype)
    for columns, to_columns in SIDES:
        size = (to_rows, to_columns)
        theirs = torch.randn(2, 3, rows, columns, dtype=dtype, requires_grad=True)
        ours = theirs.detach().clone().requires_grad_()
        expected = conv(F.interpolate(theirs, size, mode="nearest"))
        doubled = layer(ours, size)
        torch.testing.assert_close(doubled, expected, rtol=0, atol=near)
        weight = torch.randn_like(expected)  # of each pixel, so that no two gradients are alike
        (expected * weight).sum().backward()
        (doubled * weight).sum().backward()
        assert torch.isfinite(ours.grad).all()
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=10 * near)


def test_double_goes_to_twice_the_size_unless_told():
    layer = _double(nn.Conv2d(4, 4, 3), torch.float32)
    features = torch.randn(1, 4, 3, 5)
    assert layer(features).shape == (1, 4, 6, 10)
    assert torch.equal(layer(features), layer(features, (6, 10)))


def test_double_needs_no_bias():
    conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
    layer = Double(4, bias=False)
    layer.weight.data = doubled_taps(conv.weight.data)
    features = torch.randn(1, 4, 3, 5)
    expected = conv(F.interpolate(features, (5, 9), mode="nearest"))
    torch.testing.assert_close(layer(features, (5, 9)), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("high", [1, 2, 3, 5])
def test_an_enlargement_in_strips_is_the_whole(high):
    layer = Double(4)
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    features = torch.randn(2, 4, 11, 6)
    whole = layer(features)
    layer.strip = 4 * high * features.nbytes // 11
    with torch.inference_mode():
        torch.testing.assert_close(layer(features), whole, rtol=1e-5, atol=1e-5)
