import copy
import pickle
import subprocess
import sys

import live_bytes
import pytest
import torch
from torch import nn

from monostep.diffusion.class_numbers import class_numbers
from monostep.errors import SettingError
from monostep.network import sizes
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.network.blocks import ResidualBlock
from monostep.network.unet import UNet
from monostep.training.low_rank import adapt
from monostep.training.recompute import recompute


def _unet(config=sizes.TINY_UNET, size=(12, 16)):
    torch.manual_seed(0)
    unet = UNet(config)
    latent, prompt = torch.randn(2, 8, *size), torch.randn(2, 2, config.context)
    time = torch.full((2,), 999)
    return unet, lambda unet: unet(latent, time, prompt)


def _joint():
    """Two halves that attend to each other, with class numbers."""
    unet, _ = _unet(sizes.TINY_JOINT_UNET)
    latent, context = torch.randn(4, 8, 6, 8), torch.randn(4, 2, unet.config.context)
    time, classes = torch.full((4,), 999), class_numbers(torch.tensor([0, 1]))
    return unet, lambda unet: unet(latent, time, context, classes)


def _decoder(new=lambda: AutoencoderKL(sizes.TINY_AUTOENCODER), size=(12, 16)):
    torch.manual_seed(0)
    autoencoder = new().requires_grad_(requires_grad=False)
    latent = nn.Parameter(torch.randn(2, 4, *size))
    autoencoder.register_parameter("latent", latent)  # so that it is among those that learn
    return autoencoder, lambda autoencoder: autoencoder.decode(autoencoder.latent)


def _large_unet():
    return _unet(size=(24, 32))


def _nano_kl():
    return _decoder(lambda: AutoencoderKL(sizes.NANO_AUTOENCODER_KL))


def _nano_tiny():
    return _decoder(lambda: AutoencoderTiny(sizes.NANO_AUTOENCODER))


NETWORKS = {"unet": _unet, "joint": _joint, "kl": _decoder, "tiny": _nano_tiny}


def _step(network, forward, dtype=None):
    """The loss and all gradients."""
    network.zero_grad()
    with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
        loss = forward(network).float().square().mean()
    loss.backward()
    learned = {name: p.grad for name, p in network.named_parameters() if p.requires_grad}
    return {"loss": loss.detach(), **learned}


@pytest.mark.parametrize("dtype", [None, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_loss_and_gradients_are_the_same_bits(name, dtype):
    network, forward = NETWORKS[name]()
    kept = _step(network, forward, dtype)
    names = list(network.state_dict())
    recompute(network)
    again = _step(network, forward, dtype)
    assert list(network.state_dict()) == names
    assert kept.keys() == again.keys()
    assert all(torch.equal(kept[key], again[key]) for key in kept)
    assert all(gradient.abs().max() > 0 for gradient in again.values())


@pytest.mark.parametrize(
    ("new", "most"),
    [(_large_unet, 0.45), (_decoder, 0.5), (_nano_kl, 0.6), (_nano_tiny, 0.9)],
    ids=["tiny UNet", "tiny decoder", "nano KL decoder", "nano decoder"],
)
@pytest.mark.slow
def test_the_peak_of_memory_falls(new, most):
    network, forward = new()
    before = live_bytes.peak(lambda: _step(network, forward))
    recompute(network)
    assert live_bytes.peak(lambda: _step(network, forward)) < most * before


def test_what_is_kept_for_the_backward_pass_falls_to_the_blocks_inputs():
    network, forward = _unet(sizes.NANO_UNET, size=(24, 32))
    with live_bytes.LiveBytes() as plain:
        output = forward(network)
        kept = plain.now
    del output
    recompute(network)
    with live_bytes.LiveBytes() as recomputed:
        output = forward(network)
        assert recomputed.now < 0.25 * kept
    del output


def test_without_gradients_nothing_is_kept_or_computed_twice():
    network, forward = _unet()
    calls = []
    network.mid_block.resnets[0].norm1.register_forward_hook(lambda *_: calls.append(1))
    recompute(network)
    with torch.no_grad():
        forward(network)
    assert len(calls) == 1
    forward(network).mean().backward()
    assert len(calls) == 3


def test_a_second_call_does_not_compute_three_times():
    network, forward = _unet()
    calls = []
    network.mid_block.resnets[0].norm1.register_forward_hook(lambda *_: calls.append(1))
    recompute(network)
    recompute(network)
    forward(network).mean().backward()
    assert len(calls) == 2


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))], ids=["copied", "pickled"]
)
def test_it_can_be_copied(again):
    network, forward = _unet()
    recompute(network)
    other = again(network)
    expected = _step(network, forward)
    with torch.no_grad():
        network.conv_in.weight.add_(1)  # the copy has its own
    found = _step(other, forward)
    assert all(torch.equal(expected[key], found[key]) for key in expected)


COMPILED = """
import torch
from torch import nn
from monostep.network.autoencoder_tiny import TinyBlock
from monostep.network.blocks import ResidualBlock
from monostep.training.recompute import recompute
network = nn.Sequential(ResidualBlock(8, 8, groups=4, eps=1e-5), TinyBlock(8))
image = torch.randn(1, 8, 4, 4)
network(image).square().mean().backward()
expected = [parameter.grad for parameter in network.parameters()]
network.zero_grad()
recompute(network)
compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
compiled(image).square().mean().backward()
torch.testing.assert_close([parameter.grad for parameter in network.parameters()], expected)
print("equal")
"""


@pytest.mark.slow
def test_it_compiles_as_one_graph():
    # In a process of its own, since the checks of shapes are what cannot be traced.
    done = subprocess.run(
        [sys.executable, "-c", COMPILED], capture_output=True, text=True, check=False
    )
    assert done.stdout == "equal\n", done.stderr


def test_adapters_are_recomputed_too():
    network, forward = _unet()
    adapt(network, rank=2)
    for name, parameter in network.named_parameters():
        if name.endswith(".b"):
            nn.init.normal_(parameter, std=0.1)
    kept = _step(network, forward)
    recompute(network)
    again = _step(network, forward)
    assert all(torch.equal(kept[key], again[key]) for key in kept)


def test_a_network_of_other_blocks_is_refused():
    with pytest.raises(SettingError, match="no block that can be computed twice"):
        recompute(nn.Linear(2, 2))


def test_a_class_that_was_derived_from_a_block_is_not_passed_over():
    class Derived(ResidualBlock):
        pass

    with pytest.raises(SettingError, match="a Derived was made of a known block"):
        recompute(nn.Sequential(Derived(8, 8, groups=4, eps=1e-5)))
