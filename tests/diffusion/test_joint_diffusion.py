import math
from dataclasses import replace

import diffusers_joint
import diffusers_twin
import joint_models
import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from monostep.diffusion.class_numbers import class_numbers
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.sampler import Sampler
from monostep.geometry.domain import DOMAINS
from monostep.images.squash import squash
from monostep.network.image_encoder import ImageEncoder
from monostep.network.sizes import TINY_IMAGE_ENCODER, TINY_JOINT_UNET, TINY_UNET
from monostep.network.unet import UNet

INDOOR, OUTDOOR, OBJECT = range(len(DOMAINS))
SIZE = (24, 40)


def pictures(count, seed=1, size=SIZE):
    """Rough pictures in [-1, 1], so that a resize of them overshoots."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, *size, generator=generator).round() * 2 - 1


def domains(*indices):
    return torch.tensor(indices)


@pytest.fixture(scope="module", params=[False, True], ids=["looks", "hears words"])
def model(request):
    return joint_models.model(words=request.param)


@pytest.fixture(scope="module")
def looks():
    return joint_models.model()


def their_clip(encoder):
    config = transformers.CLIPVisionConfig(
        image_size=TINY_IMAGE_ENCODER.side,
        patch_size=TINY_IMAGE_ENCODER.patch,
        hidden_size=TINY_IMAGE_ENCODER.width,
        num_hidden_layers=TINY_IMAGE_ENCODER.layers,
        num_attention_heads=TINY_IMAGE_ENCODER.heads,
        intermediate_size=TINY_IMAGE_ENCODER.inner,
        projection_dim=TINY_IMAGE_ENCODER.outputs,
        hidden_act="quick_gelu",
    )
    theirs = transformers.CLIPVisionModelWithProjection(config)
    theirs.load_state_dict(encoder.state_dict(), strict=True)
    return theirs


def their_conditioning_image(picture, config=TINY_IMAGE_ENCODER):
    """The documented preprocessing of a picture in [-1, 1], in numpy and Pillow."""
    channels = []
    for channel, mean, std in zip((picture.numpy() + 1) / 2, config.mean, config.std, strict=True):
        square = Image.fromarray(channel.astype(np.float32)).resize(
            (config.side, config.side), Image.Resampling.BICUBIC
        )
        channels.append((np.asarray(square, dtype=np.float64) - mean) / std)
    return torch.from_numpy(np.stack(channels))


def seen_by_the_encoder(model, image):
    seen = []
    hook = model.image_encoder.vision_model.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0])
    )
    with torch.no_grad():
        model(image)
    hook.remove()
    return seen[0]


def test_the_conditioning_image_is_the_documented_one(looks):
    image = pictures(2)
    seen = seen_by_the_encoder(looks, image)
    expected = torch.stack([their_conditioning_image(picture) for picture in image]).float()
    torch.testing.assert_close(seen, expected, rtol=0, atol=1e-4)  # 1e-5 over a std of 0.26
    mean, std = (
        torch.tensor(c)[:, None, None]
        for c in (looks.image_encoder.config.mean, looks.image_encoder.config.std)
    )
    assert (seen * std + mean).max() > 1.02  # overshoot is not clamped


@torch.no_grad()
def test_it_is_the_papers_formula_on_the_networks_of_diffusers_and_transformers(model):
    unet = diffusers_twin.unet(model.unet.config)
    unet.load_state_dict(model.unet.state_dict(), strict=True)
    diffusers_joint.install(unet)
    image, domain = pictures(2), domains(OBJECT, OUTDOOR)
    if model.side:
        squares = torch.stack([their_conditioning_image(picture) for picture in image]).float()
        context = their_clip(model.image_encoder)(squares).image_embeds[:, None]
    else:
        context = model.prompt[domain]
    latent = model.encode(image)
    seen = torch.cat([latent.repeat(2, 1, 1, 1), torch.zeros(4, *latent.shape[1:])], dim=1)
    labels = class_numbers(domain, model.unet.config.classes)
    velocity = unet(seen, 999, context.repeat(2, 1, 1), class_labels=labels).sample
    alpha_bar = float(model.schedule.alpha_bar[999])
    expected = model.decode(-math.sqrt(1 - alpha_bar) * velocity)
    torch.testing.assert_close(model(image, domain), expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_batch_mates_do_not_matter(model):
    image, domain = pictures(3), domains(INDOOR, OUTDOOR, OBJECT)
    together = model(image, domain)
    mates = torch.stack([0 * image[0], image[1], image[2].flip(1)])
    among_others = model(mates, domains(OBJECT, OUTDOOR, OUTDOOR))
    for half in (1, 4):  # depth and normals of the second image
        assert torch.equal(among_others[half], together[half])
    alone = model(image[1:2], domain[1:2])
    torch.testing.assert_close(alone, together[[1, 4]], rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_halves_differ_and_the_domain_matters(model):
    image = pictures(1)
    maps = torch.stack([model(image, domains(index)) for index in (INDOOR, OUTDOOR, OBJECT)])
    assert (maps[:, 0] - maps[:, 1]).abs().mean() > 1e-3
    assert all((maps[i] - maps[i - 1]).abs().mean() > 1e-3 for i in range(3))
    assert torch.equal(model(image), maps[0])  # indoor, if nothing is said


@torch.no_grad()
def test_normals_see_what_depth_was_when_attention_is_joint_only(looks):
    separate = joint_models.model(unet=replace(TINY_JOINT_UNET, joint=False))
    separate.load_state_dict(looks.state_dict(), strict=True)
    image, domain = pictures(1), domains(INDOOR)
    latent = looks.encode(image)
    context = looks.context(squash((image + 1) / 2, looks.side), domain)
    noisy = torch.randn(2, *latent.shape[1:], generator=torch.Generator().manual_seed(3))
    other = noisy * torch.tensor([-1.0, 1.0])[:, None, None, None]  # of depth
    for model, far in ((looks, True), (separate, False)):
        said, again = (
            model.output(latent, z, 500, context=context, domain=domain) for z in (noisy, other)
        )
        assert ((said[1] - again[1]).abs().max() > 1e-4) == far
        assert (said[0] - again[0]).abs().max() > 1e-2


@torch.no_grad()
def test_the_picture_itself_is_heard_through_the_encoder(looks):
    image, domain = pictures(2), domains(INDOOR, INDOOR)
    latent = looks.encode(image)
    context = looks.context(squash((image + 1) / 2, looks.side), domain)
    assert context.shape == (2, 1, TINY_UNET.context)
    noisy = latent.repeat(2, 1, 1, 1)
    said = looks.output(latent, noisy, 999, context=context, domain=domain)
    exchanged = looks.output(latent, noisy, 999, context=context.flip(0), domain=domain)
    assert (said - exchanged).abs().mean() > 1e-3


@torch.no_grad()
def test_a_timestep_for_each_latent_is_as_one_at_a_time(model):
    image, domain = pictures(2), domains(INDOOR, OBJECT)
    latent = model.encode(image)
    context = model.context(squash((image + 1) / 2, model.side), domain)
    noisy = torch.randn(4, *latent.shape[1:], generator=torch.Generator().manual_seed(3))
    said = model.said(latent, noisy, torch.tensor([999, 1, 999, 1]), context=context, domain=domain)
    for row, time in enumerate((999, 1)):
        expected = model.output(latent, noisy, time, context=context, domain=domain)
        assert torch.equal(said[[row, row + 2]], expected[[row, row + 2]])


@torch.no_grad()
def test_many_steps_are_walked_by_both_halves_together(looks):
    image, domain = pictures(1), domains(INDOOR)
    latent = looks.encode(image)
    context = looks.context(squash((image + 1) / 2, looks.side), domain)
    noise = torch.randn(1, *latent.shape[1:], generator=torch.Generator().manual_seed(3))
    sampler = Sampler(schedule=looks.schedule, times=(999, 499), last="clean")
    output = lambda z, t: looks.output(latent, z, t, context=context, domain=domain)  # noqa: E731
    end = sampler.end(output, noise.repeat(2, 1, 1, 1)[None])
    assert end.shape == (2, *latent.shape[1:])
    assert (end[0] - end[1]).abs().mean() > 1e-3


# What a softmax leaves out: a key's bias, and everything about whom to ask where there is but one.
UNHEARD = ("k_proj.bias", "attn2.to_q", "attn2.to_k", "transformer_blocks.0.norm2")


def test_it_is_differentiable_to_the_image_and_to_every_weight(model):
    image = pictures(1).requires_grad_()
    model(image).square().mean().backward()
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().amax(dim=1).gt(0).float().mean() > 0.99
    heard = [model.unet] + ([model.image_encoder] if model.side else [])
    for network in heard:
        for name, weight in network.named_parameters():
            assert torch.isfinite(weight.grad).all(), name
            unheard = bool(model.side) and any(part in name for part in UNHEARD)
            assert (weight.grad.abs().max() < 1e-6) == unheard, name
    model.zero_grad()


def test_what_it_reads_is_named(model):
    assert (model.side, model.prompt_tokens) == ((28, 1) if model.image_encoder else (0, 4))
    assert ("image_encoder.visual_projection.weight" in model.state_dict()) == bool(model.side)
    assert model.prompt.shape[0] == (0 if model.side else 3)


def test_one_thing_to_read_and_four_or_ten_numbers_are_expected(looks):
    parts = {"unet": looks.unet, "autoencoder": looks.vae, "schedule": looks.schedule}
    with pytest.raises(ValueError, match="one of the two"):
        JointDiffusion(**parts)
    encoder = ImageEncoder(TINY_IMAGE_ENCODER)
    with pytest.raises(ValueError, match="one of the two"):
        JointDiffusion(**parts, image_encoder=encoder, prompts=torch.zeros(3, 4, 16))
    for config in (TINY_UNET, replace(TINY_JOINT_UNET, classes=7)):
        with pytest.raises(ValueError, match=r"(None|7) class numbers: expected 4 or 10"):
            JointDiffusion(**{**parts, "unet": UNet(config)}, image_encoder=encoder)
