"""Folded equals unfolded, for models that predict depth and normals together."""

import copy
import pickle
from dataclasses import replace
from functools import cache, partial

import joint_models
import pytest
import shaken_models
import torch
from shaken_models import SMALL_UNET

from monostep.diffusion.sampler import Sampler
from monostep.diffusion.timesteps import timesteps
from monostep.errors import CheckpointError, SettingError
from monostep.feedforward.fold import fold
from monostep.feedforward.int8 import quantise
from monostep.feedforward.joint import JointFeedForward, feed_forward
from monostep.feedforward.layers import Weighted
from monostep.feedforward.network import FeedForward, cast
from monostep.images.squash import squash
from monostep.network.sizes import TINY_IMAGE_ENCODER

ALL = torch.tensor([2, 0, 1])  # the domains of a batch of three
UNETS = {words: replace(SMALL_UNET, classes=4 if words else 10, joint=True) for words in (0, 1)}
KINDS = {"a picture": 0, "words": 1}


@cache
def _source(words, *, joint=True, kl=False):
    model = joint_models.model(words=bool(words), unet=replace(UNETS[words], joint=joint))
    if kl:
        model.vae = shaken_models.model("kl", unet=SMALL_UNET).vae
    return model


def _folded(words=0, *, joint=True, kl=False, only="clean", times=(999,), **asked):
    model = copy.deepcopy(_source(words, joint=joint, kl=kl))
    return fold(model, channels=3, times=times, only=only, **asked)


_once = cache(_folded)


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def network(request):
    return copy.deepcopy(_once(request.param))


def _maps(network, image, domain, times=(999,), noise=None):
    """What a network, folded or not, makes of images on this way."""
    with torch.no_grad():
        latent = network.encode(image)
        context = network.context(squash((image + 1) / 2, network.side), domain)
        output = partial(network.output, latent, context=context, domain=domain)
        zeros = torch.zeros_like(latent).repeat(2, 1, 1, 1)[None]
        sampler = Sampler(schedule=network.schedule, times=times)
        return network.decode(sampler.end(output, zeros if noise is None else noise.to(latent)))


def _inferred(network, image, domain=None):
    with torch.inference_mode():
        return network(image, domain).clone()


CASES = {
    "a picture": {},
    "a picture, separate": {"joint": False},
    "a picture, kl": {"kl": True},
    "words": {"words": 1},
    "words, separate, kl": {"words": 1, "joint": False, "kl": True},
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=[] if "kl" in name else [pytest.mark.slow])
        for name, case in CASES.items()
    ],
)
def test_one_step_of_images_in_all_domains(case):
    model = copy.deepcopy(_source(**{"words": 0} | case)).double()
    factor = model.multiple // 4  # latents of 5x7 have skips of 2n-1 rows and columns
    image = shaken_models.picture(20 * factor, 28 * factor, batch=3)
    expected = _maps(model, image.double(), ALL)
    assert expected.std() > 0.1, "two constants would agree for nothing"
    looped, alone = _folded(**case, only=None), _folded(**case)
    exact = _folded(**case, dtype=torch.float64)  # what it says is handed over in float32
    for network, near in [(looped, 1e-4), (alone, 1e-4), (exact, 3e-6)]:
        ours = _maps(network, image.to(network.dtype), ALL)
        torch.testing.assert_close(ours.double(), expected, rtol=0, atol=near)
    with torch.no_grad():
        called = alone(image, ALL)
    torch.testing.assert_close(called.double(), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("words", KINDS.values(), ids=KINDS)
def test_four_steps_from_noise(words):
    model = copy.deepcopy(_source(words)).double()
    times = timesteps(model.schedule, spacing="trailing", steps=4)
    network = _folded(words, only=None, times=times)
    image, noise = shaken_models.picture(20, 28, batch=3), torch.randn(1, 6, 4, 5, 7)
    expected = _maps(model, image.double(), ALL, times, noise.double())
    ours = _maps(network, image, ALL, times, noise)
    torch.testing.assert_close(ours.double(), expected, rtol=0, atol=1e-4)


def test_it_has_the_interface_of_the_unfolded_model():
    for words, tokens in ((0, 1), (1, 4)):
        network, model = _folded(words, only=None), _source(words)
        assert isinstance(network, JointFeedForward)
        assert (network.side, network.prompt_tokens) == (model.side, model.prompt_tokens)
        assert network.prompt_tokens == tokens
        assert (network.multiple, network.sees_noise) == (4, True)
        image = shaken_models.picture(20, 28, batch=2)
        with torch.no_grad():  # nothing said is indoors
            indoors = network(image, torch.tensor([0, 0]))
            assert torch.equal(network(image), indoors)
            torch.testing.assert_close(indoors, model(image), rtol=0, atol=1e-4)
        assert indoors.shape == (4, 3, 20, 28)


def test_which_network_it_is_follows_from_the_classes():
    plain = shaken_models.model("tiny", unet=SMALL_UNET)
    for model, kind in [(_source(0), JointFeedForward), (plain, FeedForward)]:
        network = fold(copy.deepcopy(model), channels=3, times=(999,))
        again = feed_forward(network.dimensions, schedule=network.schedule, times=(999,))
        assert type(again) is type(network) is kind


def test_the_domain_the_half_and_the_attention_make_a_difference(network):
    image = shaken_models.picture(20, 28)
    maps = [_inferred(network, image, torch.tensor([domain])) for domain in range(3)]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert (maps[one] - maps[other]).abs().max() > 1e-3
    assert (maps[0][0] - maps[0][1]).abs().max() > 1e-2
    for layer in network.modules():
        layer.joint = False
    assert (_inferred(network, image) - maps[0]).abs().max() > 1e-3


def test_batch_mates_do_not_matter(network):
    image = shaken_models.picture(20, 36, batch=3)
    together = _inferred(network, image, ALL)
    for index in range(3):
        alone = _inferred(network, image[index : index + 1], ALL[index : index + 1])
        torch.testing.assert_close(together[index::3], alone, rtol=0, atol=1e-5)
    order = torch.tensor([2, 0, 1])
    moved = _inferred(network, image[order], ALL[order])
    torch.testing.assert_close(moved, together[[2, 0, 1, 5, 3, 4]], rtol=0, atol=1e-5)


@pytest.mark.slow
def test_inference_packs_and_streams_and_changes_only_the_last_digits(network):
    image = shaken_models.picture(40, 28, batch=2)
    image = image.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        plain = network(image, ALL[:2])
    packed = _inferred(network, image, ALL[:2])
    torch.testing.assert_close(packed, plain, rtol=0, atol=1e-4)
    for strip in (2_000, 20_000):
        streamed = _inferred(network.stream(strip), image, ALL[:2])
        torch.testing.assert_close(streamed, plain, rtol=0, atol=1e-4)
    assert torch.equal(_inferred(network.stream(0), image, ALL[:2]), packed)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(_inferred(other, image, ALL[:2]), packed)


def test_gradients_are_finite_and_reach_all_that_learns(network):
    image = shaken_models.picture(20, 28, batch=3).requires_grad_()
    _inferred(network, image.detach(), ALL)
    assert all(each.grad is None for each in network.parameters())  # as a used network is asked
    network(image, ALL).square().sum().backward()
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().max() > 0
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16, "int8"])
def test_fewer_bits_change_it_little(network, stored):
    image = shaken_models.picture(20, 28, batch=2)
    expected = _inferred(network, image, ALL[:2])
    network = quantise(network) if stored == "int8" else cast(network, stored)
    result = _inferred(network, image, ALL[:2])
    assert result.dtype == torch.float32
    assert 0 < (result - expected).abs().mean() < 0.15 * expected.std()
    few = [each for each in network.modules() if isinstance(each, Weighted)]
    kinds = {each.weight.dtype for each in few if each.weight is not None}
    assert (torch.int8 if stored == "int8" else stored) in kinds


def test_it_learns_times_from_its_clock():
    full = _folded(only=None, times=(999, 499))
    network = _folded(only=None, times=(999,), clock=lambda _: full.time[1:])
    assert network.time.shape == (1, 3, 2, full.time.shape[-1])
    latent, domain = torch.randn(3, 4, 5, 7), ALL
    noisy = torch.randn(6, 4, 5, 7)
    squares = torch.rand(3, 3, TINY_IMAGE_ENCODER.side, TINY_IMAGE_ENCODER.side)
    with torch.no_grad():
        said = [
            each.output(latent, noisy, 499, context=each.context(squares, domain), domain=domain)
            for each in (full, network)
        ]
    assert torch.equal(*said)
    network.clock, context = None, network.context(squares, domain)
    with pytest.raises(SettingError, match="timesteps 7: this file was folded for 999, 499"):
        network.output(latent, noisy, 7, context=context, domain=domain)


def test_the_image_encoder_is_used_up_and_its_broken_weights_are_named():
    model = copy.deepcopy(_source(0))
    fold(model, channels=3, times=(999,))
    assert list(model.parameters()) == []
    model = copy.deepcopy(_source(0))
    model.image_encoder.vision_model.embeddings.class_embedding.data[0] = float("nan")
    with pytest.raises(CheckpointError, match=r"image_encoder.places: not finite in float32"):
        fold(model, channels=3, times=(999,))
