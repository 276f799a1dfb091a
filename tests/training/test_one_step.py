import dataclasses

import pytest
import torch
from drawn_scenes import render

from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.errors import SettingError
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.unet import UNet, UNetConfig
from monostep.recipes import recipe
from monostep.training.batch import Batch
from monostep.training.one_step import OneStep, check_inputs, clean_latent, initial, trained_part
from monostep.training.overriding import override

LIKE = torch.zeros(3, 4, 12, 16)
KINDS = ["zeros", "gaussian", "pyramid", "none"]


def _model(*, inputs=8, kl=True, target="velocity"):
    torch.manual_seed(0)
    unet = UNetConfig(
        in_channels=inputs,
        out_channels=4,
        channels=(8, 16),
        attention=(True, False),
        heads=(2, 2),
        layers=1,
        context=8,
        groups=4,
    )
    tiny = AutoencoderTinyConfig(width=8, encoder_blocks=(1, 1), decoder_blocks=(1, 1))
    big = AutoencoderKLConfig(channels=(8, 8), layers=1, groups=4)
    return LatentDiffusion(
        unet=UNet(unet),
        autoencoder=AutoencoderKL(big) if kl else AutoencoderTiny(tiny),
        prompt=torch.randn(2, unet.context),
        schedule=Schedule(alpha_bar=scaled_linear(), target=target),
    )


def _batch(seeds=(5, 6), step=0):
    samples = render(1, range(2), (16, 16))
    return Batch(samples=samples, step=step, seeds=seeds, names=("a", "b"))


def _config(*settings):
    return override(recipe("nano-depth"), settings)


def _generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("kind", KINDS)
def test_an_images_noise_is_its_seeds_alone(kind):
    together = initial(kind, LIKE, _generators(1, 2, 3))
    assert together.shape == LIKE.shape
    alone = initial(kind, LIKE[:1], _generators(2))
    assert torch.equal(together[1], alone[0])
    again = initial(kind, LIKE.double(), _generators(1, 2, 3))
    assert again.dtype == torch.float64
    assert torch.equal(again, together.double())


@pytest.mark.parametrize("kind", KINDS)
def test_noise_has_unit_size_or_is_zero(kind):
    noise = initial(kind, LIKE, _generators(1, 2, 3))
    if kind in ("zeros", "none"):
        assert not noise.any()
    else:
        assert (noise.std(dim=(1, 2, 3)) - 1).abs().max() < 0.1
        assert not torch.equal(noise[0], noise[1])


@pytest.mark.parametrize("target", ["velocity", "epsilon", "sample"])
@pytest.mark.parametrize("inputs", [4, 8])
def test_from_zeros_it_is_the_step_that_prediction_takes(inputs, target):
    model = _model(inputs=inputs, target=target)
    batch = _batch()
    task = OneStep(model, _config("noise=none" if inputs == 4 else "noise=zeros"))
    with torch.no_grad():
        assert torch.equal(task.decoded(batch), model(batch.samples.image * 2 - 1))
        assert torch.equal(task.decoded_to_score(batch.samples), task.decoded(batch))


def test_the_clean_latent_is_what_the_schedule_makes_of_the_output():
    model = _model()
    noisy = initial("gaussian", LIKE, _generators(1, 2, 3))
    clean = clean_latent(model, LIKE, noisy)
    abar = model.schedule.alpha_bar[-1]
    velocity = model.output(LIKE, noisy, 999)
    torch.testing.assert_close(clean, abar.sqrt() * noisy - (1 - abar).sqrt() * velocity)


def test_sizes_that_the_decoder_would_not_give_back_are_refused():
    OneStep(_model(), _config("phases=[[0,18,16,2]]"))
    with pytest.raises(SettingError, match="15x16 is no multiple of 2"):
        OneStep(_model(), _config("phases=[[0,15,16,2]]"))


@pytest.mark.parametrize("kind", ["gaussian", "pyramid"])
def test_noise_changes_with_the_seed_and_not_with_batch_mates(kind):
    task = OneStep(_model(), _config(f"noise={kind}"))
    with torch.no_grad():
        both = task.decoded(_batch())
        assert torch.equal(task.decoded(_batch()), both)
        other = task.decoded(_batch(seeds=(5, 7)))
    torch.testing.assert_close(other[0], both[0], rtol=1e-5, atol=1e-5)
    assert not torch.allclose(other[1], both[1], rtol=1e-3)


def test_the_noise_of_validation_is_fixed_and_the_same_for_every_image():
    samples = _batch().samples
    alike = dataclasses.replace(samples, image=samples.image[:1].expand_as(samples.image))
    task = OneStep(_model(), _config("noise=gaussian"))
    with torch.no_grad():
        maps = task.decoded_to_score(alike)
        torch.testing.assert_close(maps[0], maps[1], rtol=1e-5, atol=1e-5)
        again = task.decoded_to_score(samples)[0]
    torch.testing.assert_close(again, maps[0], rtol=1e-5, atol=1e-5)


def test_no_image_sees_another():
    batch = _batch()
    task = OneStep(_model(), _config("noise=gaussian"))
    samples = dataclasses.replace(batch.samples, image=batch.samples.image.flip(0))
    with torch.no_grad():
        flipped = task.decoded(dataclasses.replace(batch, samples=samples, seeds=(6, 5)))
        torch.testing.assert_close(flipped.flip(0), task.decoded(batch), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "kind", "message"),
    [
        (8, "none", "noise none with a UNet of 8 input channels: it also takes a noisy latent"),
        (4, "zeros", "noise zeros with a UNet of 4 input channels: it has no input"),
        (4, "gaussian", "choose noise none"),
    ],
)
def test_noise_without_an_input_and_an_input_without_noise_are_refused(inputs, kind, message):
    model = _model(inputs=inputs)
    with pytest.raises(SettingError, match=message):
        check_inputs(model, kind)
    with pytest.raises(SettingError, match=message):
        OneStep(model, _config(f"noise={kind}"))


PARTS = {
    "train_encoder": ("vae.encoder.", "vae.quant_conv."),
    "train_decoder": ("vae.decoder.", "vae.post_quant_conv."),
}


@pytest.mark.parametrize("kl", [True, False])
@pytest.mark.parametrize(
    "asked", [(), ("train_encoder",), ("train_decoder",), ("train_encoder", "train_decoder")]
)
def test_the_trained_part_is_all_that_requires_gradients_and_gets_them(asked, kl):
    model = _model(kl=kl)
    task = OneStep(model, _config(*(f"{name}=true" for name in asked)))
    learning = {id(p) for p in task.trained.parameters()}
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert learning == {id(p) for p in named.values()}
    of_codec = {name for name in named if name.startswith("vae.")}
    for name in asked:
        assert any(each.startswith(PARTS[name]) for each in of_codec)
    starts = tuple(start for name in asked for start in PARTS[name])
    assert all(name.startswith(starts) for name in of_codec)
    task.decoded(_batch()).square().mean().backward()
    assert [name for name, p in named.items() if p.grad is None] == []
    assert all(p.grad is None for p in model.parameters() if not p.requires_grad)


def test_of_a_kl_decoder_the_convolution_before_it_learns_too():
    part = trained_part(_model(), decoder=True)
    assert {name.split(".")[0] for name in dict(part.named_parameters())} == {
        "unet",
        "decoder",
        "post_quant_conv",
    }


def test_a_frozen_decoder_leaves_the_unets_own_names():
    model = _model()
    assert trained_part(model, decoder=False) is model.unet
