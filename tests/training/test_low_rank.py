import copy

import pytest
import torch
from torch import nn

from monostep.errors import SettingError
from monostep.network.sizes import TINY_UNET
from monostep.network.unet import UNet
from monostep.training.low_rank import adapt, merge, merged

EVERYWHERE = ("attention", "feed-forward", "convolution")


def _unet():
    torch.manual_seed(0)
    return UNet(TINY_UNET)


def _output(unet, dtype=None):
    generator = torch.Generator().manual_seed(1)
    latent = torch.randn(1, 8, 6, 8, generator=generator)
    prompt = torch.randn(1, 2, TINY_UNET.context, generator=generator)
    with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
        return unet(latent, torch.tensor([999]), prompt)


def _learn(unet):
    """Weights as they are after steps: B is no longer zero."""
    torch.manual_seed(2)
    for name, parameter in unet.named_parameters():
        if name.endswith(".b"):
            nn.init.normal_(parameter, std=0.1)


@pytest.mark.parametrize("places", [("attention",), EVERYWHERE])
@pytest.mark.parametrize("dtype", [None, torch.bfloat16], ids=["fp32", "bf16"])
def test_an_adapted_network_begins_as_it_was(places, dtype):
    unet = _unet()
    before = _output(unet, dtype)
    adapt(unet, rank=4, places=places)
    assert torch.equal(_output(unet, dtype), before)


@pytest.mark.parametrize("dtype", [None, torch.bfloat16], ids=["fp32", "bf16"])
def test_merged_it_is_an_ordinary_network_with_the_same_outputs(dtype):
    unet = _unet()
    before = _output(unet, dtype)
    adapt(unet, rank=4, places=EVERYWHERE)
    _learn(unet)
    adapted = _output(unet, dtype)
    assert (adapted - before).abs().max() > 0.01
    ordinary = _unet()
    ordinary.load_state_dict(merged(unet), strict=True)
    assert torch.equal(_output(ordinary, dtype), adapted)
    merge(unet)
    assert unet.state_dict().keys() == ordinary.state_dict().keys()
    assert torch.equal(_output(unet, dtype), adapted)
    assert not any(parameter.requires_grad for parameter in unet.parameters())


def test_the_addition_is_the_papers():
    layer = nn.ModuleList([nn.Conv2d(3, 5, 3)])
    weight = layer[0].weight.detach().clone()
    adapt(layer, rank=2, alpha=6.0, places=("convolution",))
    _learn(layer)
    addition = layer[0].parametrizations["weight"][0]
    matrix = 3.0 * torch.einsum("or,ri->oi", addition.b, addition.a)
    torch.testing.assert_close(layer[0].weight, weight + matrix.reshape(5, 3, 3, 3))


def test_only_the_adapters_learn_and_all_of_them():
    unet = _unet()
    adapt(unet, rank=4, places=EVERYWHERE)
    _learn(unet)
    _output(unet).square().mean().backward()
    for name, parameter in unet.named_parameters():
        assert parameter.requires_grad == name.endswith((".a", ".b")), name
        learns = parameter.grad is not None and bool(parameter.grad.abs().max() > 0)
        assert learns == parameter.requires_grad, name


def test_the_number_of_weights_that_learn():
    unet = _unet()
    # per transformer: q, k, v, out of itself; q and out of the prompt's, and its k and v
    transformers = [TINY_UNET.channels[level] for level in (0, 0, 1, 1, 2, 2)]
    transformers += [TINY_UNET.channels[level] for level in (3, 2, 2, 2, 1, 1, 1, 0, 0, 0)]
    rank, context = 4, TINY_UNET.context
    expected = sum(
        6 * rank * (width + width) + 2 * rank * (context + width) for width in transformers
    )
    adapt(unet, rank=rank)
    assert sum(p.numel() for p in unet.parameters() if p.requires_grad) == expected


def test_a_copy_has_adapters_of_its_own():
    unet = _unet()
    adapt(unet, rank=2)
    other = copy.deepcopy(unet)
    _learn(other)
    assert not torch.equal(_output(other), _output(unet))


def test_the_additions_are_a_function_of_the_seed():
    states = []
    for seed in (3, 3, 4):
        unet = _unet()
        torch.manual_seed(seed)
        adapt(unet, rank=2)
        states.append(torch.cat([p.flatten() for p in unet.parameters() if p.requires_grad]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_what_cannot_be_adapted_is_refused():
    with pytest.raises(SettingError, match="rank is 0"):
        adapt(_unet(), rank=0)
    with pytest.raises(SettingError, match="no layer at"):
        adapt(nn.Linear(2, 2), rank=1)
    unet = _unet()
    adapt(unet, rank=1)
    with pytest.raises(SettingError, match="already"):
        adapt(unet, rank=1)
