import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monostep.feedforward import strips
from monostep.feedforward.layers import Conv


def _map(batch, channels, height, width, *, mean=0.0, std=1.0):
    features = mean + std * torch.randn(batch, channels, height, width)
    return features.contiguous(memory_format=torch.channels_last)


def _norm(channels, groups, eps=1e-6):
    norm = nn.GroupNorm(groups, channels, eps=eps)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


def _conv(inputs, outputs, **asked):
    conv = Conv(inputs, outputs, 3, **asked)
    for parameter in conv.parameters():
        nn.init.normal_(parameter, std=0.2)
    return conv


def _whole(norm, conv, features, bias=None):
    with torch.no_grad():
        return conv(F.silu(norm(features)), bias)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 11])
@pytest.mark.parametrize(("mean", "std"), [(0, 1), (100, 0.1), (-3, 20)])
def test_moments_are_those_of_the_group_norm(mean, std, rows):
    features = _map(2, 12, 11, 7, mean=mean, std=std)
    grouped = features.double().unflatten(1, (4, 3)).flatten(2)
    centre, spread = strips.moments(features, 4, rows)
    assert centre.dtype == spread.dtype == torch.float32
    for ours, theirs in (
        (centre, grouped.mean(2)),
        (spread, grouped.var(2, correction=0)),
    ):
        torch.testing.assert_close(
            ours.double(), theirs.repeat_interleave(3, 1), rtol=1e-4, atol=1e-6
        )
    # In float64, since torch's float32 kernel for channels last loses such a spread.
    expected = F.group_norm(features.double(), 4, eps=1e-6)
    normal = (features - centre[:, :, None, None]) / (spread[:, :, None, None] + 1e-6).sqrt()
    torch.testing.assert_close(normal.double(), expected, rtol=0, atol=1e-3 if mean else 1e-5)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize(("size", "mean"), [((90, 110), 3), ((6, 5), 3), ((130, 40), -0.5)])
def test_a_norm_in_inference_is_the_norm_in_double_precision(size, mean, affine):
    features = _map(2, 12, *size, mean=mean)
    weights = {}
    if affine:
        weights = {"weight": torch.linspace(-1, 2, 12), "bias": torch.linspace(1, -1, 12)}
    with torch.inference_mode():
        ours = strips.normal(features, 4, eps=1e-6, **weights)
    double = {name: values.double() for name, values in weights.items()}
    exact = F.group_norm(features.double(), 4, eps=1e-6, **double)
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=2e-5)
    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_large_sums_lose_no_digits_that_small_ones_keep():
    generator = torch.Generator().manual_seed(0)
    features = 3 + torch.randn(2, 12, 90, 110, generator=generator)
    features = features.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        off = strips.normal(features, 4, eps=1e-6) - F.group_norm(features.double(), 4, eps=1e-6)
    assert off.abs().max() < 1.2e-6  # sums of 4096 pixels: 3.6e-6


def test_a_map_of_one_pixel_has_no_spread():
    features = _map(1, 4, 1, 1)
    centre, spread = strips.moments(features, 4, 1)
    torch.testing.assert_close(centre, features[:, :, 0, 0])
    assert torch.equal(spread, torch.zeros(1, 4))


@pytest.mark.parametrize("mean", [0, 100])
def test_sixteen_bits_have_moments_in_thirty_two(mean):
    features = _map(1, 8, 40, 30, mean=mean).bfloat16()
    centre, spread = strips.moments(features, 2, 7)
    grouped = features.double().unflatten(1, (2, 4)).flatten(2)
    torch.testing.assert_close(
        centre.double(), grouped.mean(2).repeat_interleave(4, 1), rtol=1e-6, atol=1e-6
    )
    expected = grouped.var(2, correction=0).repeat_interleave(4, 1)
    torch.testing.assert_close(spread.double(), expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("bias", ["own", "given", "each"])
@pytest.mark.parametrize("over", [False, True], ids=["apart", "over"])
@pytest.mark.parametrize("added", [False, True], ids=["alone", "plus"])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 11, 20])
def test_strips_are_the_whole(rows, batch, added, over, bias):
    features, norm, conv = _map(batch, 8, 11, 6), _norm(8, 4), _conv(8, 8)
    other = torch.randn(batch, 8, 11, 6)
    given = {"own": None, "given": torch.randn(8), "each": torch.randn(batch, 8)}[bias]
    expected = _whole(norm, conv, features, given) + (other if added else 0)
    with torch.inference_mode():
        seen = features.clone()
        result = strips.convolve(
            norm,
            conv,
            seen,
            rows=rows,
            bias=given,
            plus=(lambda here: other[:, :, here]) if added else None,
            over=over,
        )
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)
    assert (result is seen) == over
    if not over:
        assert torch.equal(seen, features)


@pytest.mark.parametrize("outputs", [1, 3, 16])
def test_the_result_may_have_other_channels(outputs):
    features, norm, conv = _map(1, 8, 7, 6), _norm(8, 2), _conv(8, outputs)
    with torch.inference_mode():
        result = strips.convolve(norm, conv, features, rows=3)
    torch.testing.assert_close(result, _whole(norm, conv, features), rtol=1e-5, atol=1e-5)
    assert result.is_contiguous(memory_format=torch.channels_last)


def test_the_last_layer_goes_from_sixteen_to_thirty_two_bits():
    features, norm, conv = _map(1, 8, 7, 6).bfloat16(), _norm(8, 2), _conv(8, 1)
    with torch.inference_mode():
        result = strips.convolve(norm, conv, features, rows=2)
    assert result.dtype == torch.float32
    expected = _whole(norm, conv, features.float())
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)
