"""The whole model: from an image through latents to the decoded map, in one step or in many."""

from functools import partial
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Latent, Schedule
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.network.unet import UNet

Autoencoder = AutoencoderKL | AutoencoderTiny
Network = TypeVar("Network", bound=nn.Module)


def channels_last(network: Network) -> Network:
    """The network with its weights laid out as convolutions like them best."""
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


class LatentDiffusion(nn.Module):
    """Image in, decoded map out, through latents and a UNet that is conditioned on the image.

        z_x = scale * mean(encode(image));  z_t = noise
        z_0 = sampler(v = UNet([z_x, z_t], t, prompt))
        map = decode(z_0 / scale)

    Called as it stands it is the paper's one step: t = T-1, zero noise, z_0 = -sqrt(1 - abar) v.
    Source: Marigold; E2E-FT, section 4. Differentiable from end to end.
    """

    prompt: Tensor

    def __init__(
        self,
        *,
        unet: UNet,
        autoencoder: Autoencoder,
        prompt: Float[Tensor, "token width"],
        schedule: Schedule,
    ) -> None:
        super().__init__()
        self.unet = unet
        self.vae = autoencoder
        self.schedule = schedule
        # A copy, as products round by how memory is aligned, and mapped files are not.
        self.register_buffer("prompt", prompt.clone())

    @property
    def multiple(self) -> int:
        """Image sides must be divisible by this for the output to have the input's size."""
        return self.vae.config.factor

    @property
    def sees_noise(self) -> bool:
        """Whether the UNet has an input for z_t; Stable Diffusion's own four channels take z_x."""
        return self.unet.config.in_channels > self.vae.config.latent_channels

    def encode(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch latent_channels latent_height latent_width"]:
        """The scaled latent z_x of images in [-1, 1]."""
        return self.vae.config.scale * self.vae.encode(image)

    def decode(
        self, latent: Float[Tensor, "batch latent_channels latent_height latent_width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """The map, about [-1, 1], of a scaled latent."""
        return self.vae.decode(latent / self.vae.config.scale)

    @property
    def prompt_tokens(self) -> int:
        """Length of the prompt."""
        return len(self.prompt)

    def output(self, image_latent: Latent, noisy: Latent, time: int) -> Latent:
        """What the UNet says about z_t beside z_x at a timestep."""
        seen = torch.cat([image_latent, noisy], dim=1) if self.sees_noise else image_latent
        context = self.prompt.to(image_latent.dtype).expand(image_latent.shape[0], -1, -1)
        when = torch.full((image_latent.shape[0],), time, device=image_latent.device)
        return self.unet(seen, when, context)

    def forward(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """The decoded map, about [-1, 1], of images in [-1, 1], in one step from zeros."""
        image_latent = self.encode(image)
        sampler = Sampler(schedule=self.schedule, times=(self.schedule.last,), last="clean")
        noise = torch.zeros_like(image_latent)[None]
        return self.decode(sampler.end(partial(self.output, image_latent), noise))
