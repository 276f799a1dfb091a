import pytest
import torch
from torch import nn

from monostep.network.norm import FEW, GroupNorm, sums_badly


def _map(height, width, *, channels=32, mean=3.0):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(2, channels, height, width, generator=generator) + mean
    return values.contiguous(memory_format=torch.channels_last)


def _norm(groups=4):
    norm = GroupNorm(groups, 32, eps=1e-6)
    nn.init.normal_(norm.weight, generator=torch.Generator().manual_seed(1))
    return norm


def _error(norm, features):
    return (norm(features).double() - norm.double()(features.double())).abs().max().item()


def test_a_large_map_keeps_its_digits_where_torchs_own_norm_loses_them():
    features = _map(240, 320)
    assert _error(_norm(), features) < 5e-6
    plain = nn.GroupNorm(4, 32, eps=1e-6)
    plain.load_state_dict(_norm().state_dict())
    assert _error(plain, features) > 2e-5  # else this file is not needed any more


@pytest.mark.parametrize("size", [(8, 9), (65, 64)])
@pytest.mark.parametrize("groups", [4, 8])  # of eight channels, and of too few for torch's kernel
def test_values_and_gradients_are_torchs_and_the_layout_stays(size, groups):
    features = _map(*size, mean=0).requires_grad_()
    norm, plain = _norm(groups), nn.GroupNorm(groups, 32, eps=1e-6)
    plain.load_state_dict(norm.state_dict())
    ours, theirs = norm(features), plain(features)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    for one, other in zip(
        torch.autograd.grad(ours.square().sum(), [features, norm.weight, norm.bias]),
        torch.autograd.grad(theirs.square().sum(), [features, plain.weight, plain.bias]),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_planes_small_maps_and_tokens_are_left_to_torch():
    assert sums_badly(_map(65, 64))
    assert not sums_badly(_map(64, 64)) and FEW == 64 * 64
    assert not sums_badly(_map(65, 64).contiguous())
    tokens = torch.randn(2, 32, 5000)
    assert torch.equal(
        _norm()(tokens), nn.functional.group_norm(tokens, 4, *_norm().parameters(), 1e-6)
    )
