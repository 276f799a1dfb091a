"""Folded equals unfolded, on models in which nothing is a zero or a one."""

import copy
from functools import partial

import pytest
import shaken_models
import torch
from shaken_models import SMALL_UNET
from torch import nn

from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Schedule, scaled_linear, zero_terminal_snr
from monostep.diffusion.timesteps import timesteps
from monostep.errors import CheckpointError
from monostep.feedforward.fold import fold, one_step
from monostep.network.sizes import TINY_UNET

NORM_AND_CONV = ("norm.weight", "norm.bias", "conv.weight", "conv.bias")


def _map(network, image, times, last, noise=None):
    """What a network, folded or not, makes of an image on this way."""
    with torch.no_grad():
        latent = network.encode(image)
        sampler = Sampler(schedule=network.schedule, times=times, last=last)
        noise = torch.zeros_like(latent)[None] if noise is None else noise.to(latent)
        return network.decode(sampler.end(partial(network.output, latent), noise))


def _depth(decoded):
    return decoded.mean(1, keepdim=True)


def _assert_near(ours, theirs, share):
    spread = float(theirs.std())
    assert spread > 0.02, "two constants would agree for nothing"
    torch.testing.assert_close(ours.double(), theirs.double(), rtol=0, atol=share * spread)


@pytest.mark.parametrize(
    ("kind", "channels", "unet"),
    [
        ("kl", 1, TINY_UNET),
        pytest.param("kl", 3, SMALL_UNET, marks=pytest.mark.slow),
        pytest.param("tiny", 1, SMALL_UNET, marks=pytest.mark.slow),
        ("tiny", 3, SMALL_UNET),
    ],
    ids=["kl depth", "kl normals", "tiny depth", "tiny normals"],
)
def test_one_step_at_any_size(kind, channels, unet):
    model = shaken_models.model(kind, unet=unet)
    network = fold(copy.deepcopy(model), channels=channels, times=(999,))
    exact = fold(copy.deepcopy(model), channels=channels, times=(999,), dtype=torch.float64)
    double = copy.deepcopy(model).double()
    sizes = [(64, 64), (64, 88), (72, 120)]
    for size in sizes if kind == "kl" else [(height // 2, width // 2) for height, width in sizes]:
        image = shaken_models.picture(*size, batch=2)
        expected = _map(double, image.double(), (999,), "clean")
        expected = _depth(expected) if channels == 1 else expected
        assert expected.shape == (2, channels, *size)
        _assert_near(_map(exact, image, (999,), "clean"), expected, 1e-5)
        _assert_near(_map(network, image, (999,), "clean"), expected, 3e-4)
        with torch.no_grad():
            _assert_near(network(image), expected, 3e-4)  # called as it stands


@pytest.mark.parametrize("inputs", [4, 8])
@pytest.mark.parametrize("last", ["clean", "previous"])
@pytest.mark.parametrize("target", ["velocity", "sample", "epsilon"])
def test_the_one_step_from_zeros_is_in_the_weights(target, last, inputs):
    model = shaken_models.model("tiny", target=target, inputs=inputs, unet=SMALL_UNET)
    image = shaken_models.picture(32, 44)
    expected = _map(copy.deepcopy(model).double(), image.double(), (999,), last)
    network = fold(model, channels=3, times=(999,), only=last, dtype=torch.float64)
    assert not network.sees_noise
    assert network.unet.noise is None
    with torch.no_grad():
        _assert_near(network(image), expected, 1e-5)
    _assert_near(_map(network, image, (999,), "clean"), expected, 1e-5)


@pytest.mark.parametrize("time", [999, 499, 1])
def test_the_one_step_may_be_taken_anywhere(time):
    model = shaken_models.model("tiny", unet=SMALL_UNET)
    image = shaken_models.picture(32, 44)
    expected = _map(copy.deepcopy(model).double(), image.double(), (time,), "clean")
    network = fold(model, channels=3, times=(time,), only="clean", dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(network(image).double(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("tokens", [1, 3, 77])
def test_prompts_of_any_length(tokens):
    model = shaken_models.model("tiny", tokens=tokens, unet=SMALL_UNET)
    image = shaken_models.picture(32, 44)
    expected = _map(copy.deepcopy(model).double(), image.double(), (999,), "clean")
    network = fold(model, channels=3, times=(999,), only="clean", dtype=torch.float64)
    assert network.prompt_tokens == tokens
    with torch.no_grad():
        _assert_near(network(image), expected, 1e-5)


@pytest.mark.parametrize(
    ("sampler", "steps", "last"),
    [
        ("ddim", 10, "clean"),
        ("ddim", 10, "previous"),
        ("ddim", 1, "previous"),
        ("lcm", 1, "clean"),
        ("lcm", 4, "previous"),
    ],
)
def test_a_way_of_many_steps_with_its_table_of_times(sampler, steps, last):
    model = shaken_models.model("tiny", sampler=sampler, unet=SMALL_UNET)
    spacing = "lcm" if sampler == "lcm" else "trailing"
    times = timesteps(model.schedule, spacing=spacing, steps=steps)
    assert len(times) == steps
    draws = steps if sampler == "lcm" else 1
    noise = torch.randn(draws, 1, 4, 8, 11, dtype=torch.float64)
    image = shaken_models.picture(32, 44)
    expected = _map(copy.deepcopy(model).double(), image.double(), times, last, noise)
    network = fold(model, channels=1, times=times, dtype=torch.float64)
    assert network.times == times
    _assert_near(_map(network, image, times, last, noise), _depth(expected), 1e-5)


def test_a_consistency_models_one_step_folds_like_any():
    model = shaken_models.model("tiny", sampler="lcm", unet=SMALL_UNET)
    image = shaken_models.picture(32, 44)
    expected = _map(copy.deepcopy(model).double(), image.double(), (999,), "previous")
    network = fold(model, channels=3, times=(999,), only="previous", dtype=torch.float64)
    assert (network.schedule.sampler, network.original_schedule.sampler) == ("ddim", "lcm")
    with torch.no_grad():
        _assert_near(network(image), expected, 1e-5)


@pytest.mark.parametrize("sampler", ["ddim", "lcm"])
@pytest.mark.parametrize("last", ["clean", "previous"])
@pytest.mark.parametrize("zero_snr", [False, True])
@pytest.mark.parametrize("target", ["velocity", "sample", "epsilon"])
def test_one_step_is_the_samplers(target, zero_snr, last, sampler):
    if target == "epsilon" and zero_snr:
        return  # there is no such schedule: what is all noise tells nothing by its noise
    alpha_bar = zero_terminal_snr(scaled_linear()) if zero_snr else scaled_linear()
    schedule = Schedule(alpha_bar=alpha_bar, target=target, sampler=sampler)
    said = torch.randn(2, 4, 3, 5)
    for time in (999, 500, 19):
        way = Sampler(schedule=schedule, times=(time,), last=last)
        expected = way.end(lambda *_: said, torch.zeros(1, *said.shape))
        gain = one_step(schedule, time, last)
        torch.testing.assert_close(gain * said, expected, rtol=1e-5, atol=1e-5)


def test_the_papers_step_takes_minus_the_noise_of_the_velocity():
    schedule = Schedule(alpha_bar=scaled_linear(), target="velocity")
    amplitude = float((1 - schedule.alpha_bar[-1].double()).sqrt())
    assert one_step(schedule, 999, "clean") == pytest.approx(-amplitude, abs=1e-7)


@pytest.mark.parametrize("kind", ["kl", "tiny"])
def test_the_source_is_used_up(kind):
    model = shaken_models.model(kind, unet=SMALL_UNET)
    fold(model, channels=1, times=(999,))
    assert list(model.parameters()) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    "part", ["unet.conv_in", "unet.time_embedding.linear_1", "vae.decoder.conv_out"]
)
def test_a_weight_that_is_no_number_is_named_in_one_line(part, value):
    model = shaken_models.model("kl", unet=SMALL_UNET)
    model.get_submodule(part).weight.data.view(-1)[-1] = value
    with pytest.raises(CheckpointError, match="not finite in float32") as caught:
        fold(model, channels=1, times=(999,))
    assert "\n" not in str(caught.value)


def test_a_weight_that_is_too_large_for_the_precision_is_named():
    model = shaken_models.model("tiny", unet=SMALL_UNET)
    model.unet.conv_in.weight.data[0, 0, 0, 0] = 1e5
    with pytest.raises(CheckpointError, match=r"image.weight: not finite in float16.*too large"):
        fold(model, channels=1, times=(999,), dtype=torch.float16)


@pytest.mark.parametrize("kind", ["kl", "tiny"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_decoders_last_layer_stays_in_float32(kind, dtype):
    network = fold(shaken_models.model(kind, unet=SMALL_UNET), channels=1, times=(9,), dtype=dtype)
    single = {name for name, each in network.named_parameters() if each.dtype == torch.float32}
    if kind == "kl":
        last = f"decoder.{len(network.decoder) - 1}"
        expected = {f"{last}.{part}" for part in NORM_AND_CONV}
    else:
        expected = {"decoder.out.weight", "decoder.out.bias"}
    assert single == expected
    assert network.dtype == dtype


def test_the_weights_are_ordinary_parameters_laid_out_with_channels_last():
    network = fold(shaken_models.model("tiny", unet=SMALL_UNET), channels=1, times=(999,))
    assert not network.training
    parameters = dict(network.named_parameters())
    assert all(isinstance(each, nn.Parameter) for each in parameters.values())
    assert all(each.requires_grad for each in parameters.values())
    assert [name for name, _ in network.named_buffers()] == ["time"]
    convs = [each for each in parameters.values() if each.ndim == 4 and min(each.shape) > 1]
    assert convs
    assert all(each.is_contiguous(memory_format=torch.channels_last) for each in convs)


def test_a_single_folded_step_has_no_clock():
    clocks = [
        fold(
            shaken_models.model("tiny", unet=SMALL_UNET),
            channels=1,
            times=(999,),
            only=only,
            clock=lambda times: torch.zeros(len(times), 1),
        ).clock
        for only in (None, "clean")
    ]
    assert clocks[0] is not None
    assert clocks[1] is None
