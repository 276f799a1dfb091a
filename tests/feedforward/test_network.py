import copy
import pickle
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import shaken_models
import torch
from shaken_models import SMALL_UNET
from torch import nn

from monostep.errors import SettingError
from monostep.feedforward import stream
from monostep.feedforward.fold import fold
from monostep.feedforward.layers import Packed
from monostep.feedforward.network import cast, last_layer


def _network(kind="tiny", *, only="clean", channels=1, times=(999,), **asked):
    model = shaken_models.model(kind, unet=SMALL_UNET)
    return fold(model, channels=channels, times=times, only=only, **asked)


_once = cache(_network)


@pytest.fixture(params=["kl", "tiny"])
def network(request):
    return copy.deepcopy(_once(request.param))


def _inferred(network, image):
    with torch.inference_mode():
        return network(image).clone()


def _packed(network):
    return [each for each in network.modules() if isinstance(each, Packed) and each.weight is None]


def test_it_has_the_interface_of_the_unfolded_model():
    for kind, multiple in (("kl", 8), ("tiny", 4)):
        network = _network(kind, only=None)
        assert (network.multiple, network.sees_noise, network.prompt_tokens) == (multiple, True, 2)
        assert network.schedule.last == 999
        image = shaken_models.picture(32, 48)
        with torch.no_grad():
            latent = network.encode(image)
            said = network.output(latent, torch.randn_like(latent), 999)
            decoded = network.decode(said)
        assert latent.shape == said.shape == (1, 4, 32 // multiple, 48 // multiple)
        assert decoded.shape == (1, 1, 32, 48)


def test_inference_packs_and_changes_nothing_but_the_last_digits(network):
    image = shaken_models.picture(40, 56)
    with torch.no_grad():
        plain = network(image)
    assert not _packed(network)
    packed = _inferred(network, image)
    assert _packed(network)
    assert torch.equal(_inferred(network, image), packed)
    torch.testing.assert_close(packed, plain, rtol=0, atol=3e-4 * float(plain.std()))


@pytest.mark.parametrize(
    "ask",
    [
        lambda network: list(network.parameters()),
        lambda network: dict(network.named_parameters()),
        lambda network: network.state_dict(),
        lambda network: network.to(torch.float32),
        lambda network: network.load_state_dict(copy.deepcopy(network).state_dict()),
        lambda network: network.unpack(),
        copy.deepcopy,
        pickle.dumps,
    ],
    ids=["parameters", "named", "state", "to", "load", "unpack", "copy", "pickle"],
)
def test_who_asks_for_the_weights_gets_the_plain_ones(network, ask):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    _inferred(network, shaken_models.picture(16, 24))
    assert _packed(network)
    ask(network)
    assert not _packed(network)
    after = network.state_dict()
    assert after.keys() == before.keys()
    for name, tensor in after.items():
        assert torch.equal(tensor, before[name]), name


def test_what_is_loaded_after_use_is_what_is_used():
    network, other = _network(), _network(channels=1)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(1.1)
    image = shaken_models.picture(16, 24)
    _inferred(network, image)
    network.load_state_dict(other.state_dict())
    assert torch.equal(_inferred(network, image), _inferred(other, image))


def test_a_copy_or_a_pickle_of_a_used_network_works(network):
    image = shaken_models.picture(16, 24)
    expected = _inferred(network, image)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(_inferred(other, image), expected)


def test_the_gradient_of_a_used_network_is_that_of_a_fresh_one(network):
    fresh = copy.deepcopy(network)
    image = shaken_models.picture(32, 40).requires_grad_()
    _inferred(network, image.detach())
    gradients = [
        torch.autograd.grad(each(image).square().sum(), image)[0] for each in (network, fresh)
    ]
    assert torch.isfinite(gradients[0]).all()
    assert gradients[0].abs().max() > 0
    near = 1e-4 * float(gradients[1].abs().max())
    torch.testing.assert_close(*gradients, rtol=0, atol=near)


def test_a_used_network_learns(network):
    image = shaken_models.picture(16, 24)
    before = _inferred(network, image)
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3)
    network(image).square().sum().backward()
    assert all(each.grad is not None for each in network.parameters())
    optimiser.step()
    assert not torch.equal(_inferred(network, image), before)


@pytest.mark.parametrize("size", [(32, 32), (40, 72)])
def test_batch_mates_do_not_matter(network, size):
    batch = shaken_models.picture(*size, batch=3)
    together = _inferred(network, batch)
    for index, image in enumerate(batch):
        alone = _inferred(network, image[None])[0]
        torch.testing.assert_close(together[index], alone, rtol=0, atol=1e-5)
    order = [2, 0, 1]
    torch.testing.assert_close(_inferred(network, batch[order]), together[order], rtol=0, atol=1e-5)


@pytest.mark.parametrize("strip", [2_000, 20_000])
def test_streamed_is_whole(network, strip):
    image = shaken_models.picture(72, 40, batch=2).contiguous(memory_format=torch.channels_last)
    whole = _inferred(network, image)
    assert network.stream(strip) is network
    layers = [each for each in network.modules() if isinstance(each, stream.Streamed)]
    assert {each.strip for each in layers} == {strip}
    torch.testing.assert_close(
        _inferred(network, image), whole, rtol=0, atol=1e-4 * float(whole.std())
    )
    network.stream(stream.WHOLE)
    assert torch.equal(_inferred(network, image), whole)


def test_a_stream_is_no_stream_where_gradients_are_wanted(network):
    image = shaken_models.picture(40, 24).requires_grad_()
    (expected,) = torch.autograd.grad(network(image).sum(), image)
    network.stream(1)
    (gradient,) = torch.autograd.grad(network(image).sum(), image)
    assert torch.equal(gradient, expected)


def test_it_learns_times_from_its_clock():
    asked = []

    def clock(times):
        asked.append(tuple(times))
        return torch.full((len(times), width), 0.5)

    width = _network(only=None).time.shape[1]
    network = _network(only=None, clock=clock)
    with torch.inference_mode():
        network.learn((999,))
        network.learn((999, 500, 1))
        network.learn((1, 500))
    assert asked == [(500, 1)]
    assert network.times == (999, 500, 1)
    assert not network.time.is_inference()
    assert torch.equal(network.time[1:], torch.full((2, width), 0.5))
    latent = torch.randn(1, 4, 4, 4, requires_grad=True)
    network.output(latent, latent, 500).sum().backward()
    assert torch.isfinite(latent.grad).all()


def test_without_a_clock_other_times_are_refused_with_a_cure():
    network = _network(only=None, times=(999, 499))
    latent = torch.zeros(1, 4, 4, 4)
    with pytest.raises(SettingError, match=r"timesteps 7: .*folded for 999, 499; fold .* again"):
        network.output(latent, latent, 7)
    with pytest.raises(SettingError, match=r"timesteps 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, \.\.\.: "):
        network.learn(range(20))


COMPILED = """
import dataclasses, joint_models, shaken_models, torch
from monostep.feedforward.fold import fold
image = shaken_models.picture(20, 28)
small = shaken_models.SMALL_UNET
joint = dataclasses.replace(small, classes=10, joint=True)
for only in (None, "clean", "joint"):
    model = shaken_models.model("tiny", unet=small)
    if only == "joint":
        model, only = joint_models.model(unet=joint), None
    network = fold(model, channels=3, times=(999,), only=only)
    with torch.no_grad():
        expected = network(image)
        compiled = torch.compile(network, fullgraph=True, backend="eager")(image)
    torch.testing.assert_close(compiled, expected)
print("equal")
"""


@pytest.mark.slow
def test_it_compiles_as_one_graph():
    # In a process of its own, since the checks of shapes are what cannot be traced.
    support = Path(shaken_models.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", COMPILED], cwd=support, capture_output=True, text=True, check=False
    )
    assert done.stdout == "equal\n", done.stderr[-2000:]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_cast_keeps_the_last_layer_in_float32(network, dtype):
    image = shaken_models.picture(32, 40)
    expected = _inferred(network, image)
    assert cast(network, dtype) is network
    assert network.dtype == dtype
    assert {each.dtype for each in last_layer(network).parameters()} == {torch.float32}
    others = {each.dtype for each in network.parameters()}
    assert others == {dtype, torch.float32}
    result = _inferred(network, image)
    assert result.dtype == torch.float32
    assert (result - expected).abs().mean() < 0.1 * expected.std()


def test_the_last_layer_is_norm_and_convolution_or_convolution():
    assert isinstance(last_layer(_network("kl")).norm, nn.GroupNorm)
    assert last_layer(_network("tiny", channels=3)).weight.shape[0] == 3
