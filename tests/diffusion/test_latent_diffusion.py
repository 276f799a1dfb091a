import math

import diffusers_twin
import pytest
import torch

from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.sizes import TINY_AUTOENCODER, TINY_UNET
from monostep.network.unet import UNet

TINY = AutoencoderTinyConfig(width=8, encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1), scale=1.3)
PAIRS = {
    "tiny": (AutoencoderTiny, diffusers_twin.autoencoder_tiny, TINY),
    "kl": (AutoencoderKL, diffusers_twin.autoencoder_kl, TINY_AUTOENCODER),
}


@pytest.fixture(params=PAIRS.values(), ids=PAIRS.keys(), scope="module")
def twins(request):
    """Our model, and diffusers' UNet and autoencoder with the same weights, in float64."""
    ours, theirs, config = request.param
    torch.manual_seed(0)
    their_unet = diffusers_twin.unet(TINY_UNET).double()
    their_autoencoder = theirs(config).double()
    unet, autoencoder = UNet(TINY_UNET).double(), ours(config).double()
    unet.load_state_dict(their_unet.state_dict(), strict=True)
    autoencoder.load_state_dict(their_autoencoder.state_dict(), strict=True)
    model = LatentDiffusion(
        unet=unet,
        autoencoder=autoencoder,
        prompt=torch.randn(2, TINY_UNET.context).double(),
        schedule=Schedule(alpha_bar=scaled_linear().double(), target="velocity"),
    )
    return model.eval(), their_unet.eval(), their_autoencoder.eval()


def _image(model, count, *, size=(2, 3)):
    """Images whose height and width are so many times the smallest side."""
    height, width = (model.multiple * side for side in size)
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, height, width, generator=generator, dtype=torch.float64) * 2 - 1


@torch.no_grad()
def test_it_is_the_papers_formula_on_diffusers_networks(twins):
    model, unet, autoencoder = twins
    image, scale = _image(model, 2), model.vae.config.scale
    encoded = autoencoder.encode(image)
    latent = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mean
    both = torch.cat([scale * latent, torch.zeros_like(latent)], dim=1)
    prompt = model.prompt[None].repeat(2, 1, 1)
    velocity = unet(both, 999, prompt).sample
    alpha_bar = float(scaled_linear().double()[999])
    expected = autoencoder.decode(-math.sqrt(1 - alpha_bar) * velocity / scale).sample
    torch.testing.assert_close(model(image), expected, rtol=1e-7, atol=1e-7)


@torch.no_grad()
def test_the_output_has_the_images_size_when_its_sides_are_multiples(twins):
    model = twins[0]
    for size in ((1, 1), (3, 5)):
        image = _image(model, 1, size=size)
        assert model(image).shape == image.shape


def test_it_is_differentiable_to_the_image_and_to_every_weight_of_the_unet(twins):
    model = twins[0]
    image = _image(model, 1).requires_grad_()
    model(image).square().mean().backward()
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().amax(dim=1).gt(0).float().mean() > 0.99
    for name, weight in model.unet.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
    model.zero_grad()


@torch.no_grad()
def test_batch_mates_do_not_matter(twins):
    model = twins[0]
    images = _image(model, 3)
    together = model(images)
    other_mates = model(torch.stack([torch.zeros_like(images[0]), images[1], -images[2]]))
    torch.testing.assert_close(other_mates[1], together[1], rtol=0, atol=0)
    torch.testing.assert_close(model(images[1:2])[0], together[1], rtol=1e-9, atol=1e-10)


def test_the_prompt_travels_with_the_weights(twins):
    assert "prompt" in twins[0].state_dict()
