"""The whole model as the paper uses it: one deterministic step from image to decoded map."""

from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.diffusion.schedule import Schedule
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.network.unet import UNet

Autoencoder = AutoencoderKL | AutoencoderTiny
Network = TypeVar("Network", bound=nn.Module)


def channels_last(network: Network) -> Network:
    """The network with its weights laid out as convolutions like them best."""
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


class OneStep(nn.Module):
    """Image in, decoded map out, through latent, UNet at t = T-1 from zero noise, and decoder.

        z_x = scale * mean(encode(image));  z_t = 0
        v   = UNet([z_x, z_t], T-1, prompt)
        z_0 = sqrt(abar) z_t - sqrt(1 - abar) v
        map = decode(z_0 / scale)

    Source: E2E-FT, section 4. Differentiable from end to end.
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
        self.register_buffer("prompt", prompt)

    @property
    def multiple(self) -> int:
        """Image sides must be divisible by this for the output to have the input's size."""
        return self.vae.config.factor

    def forward(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """The decoded map, about [-1, 1], of images in [-1, 1]."""
        scale = self.vae.config.scale
        image_latent = scale * self.vae.encode(image)
        noise = torch.zeros_like(image_latent)
        time = torch.full((len(image),), self.schedule.last, device=image.device)
        context = self.prompt.to(image_latent.dtype).expand(len(image), -1, -1)
        output = self.unet(torch.cat([image_latent, noise], dim=1), time, context)
        return self.vae.decode(self.schedule.clean(noise, output, time) / scale)
