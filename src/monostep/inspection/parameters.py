"""How many numbers a model has learnt, from its dimensions alone."""

import torch

from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.image_encoder import ImageEncoder, ImageEncoderConfig
from monostep.network.unet import UNet, UNetConfig


def parameters(
    unet: UNetConfig,
    autoencoder: AutoencoderKLConfig | AutoencoderTinyConfig,
    image_encoder: ImageEncoderConfig | None = None,
) -> int:
    """Parameters of all networks of a model; prompts are none."""
    kl = isinstance(autoencoder, AutoencoderKLConfig)
    with torch.device("meta"):  # which has shapes, and no memory
        networks = [UNet(unet), AutoencoderKL(autoencoder) if kl else AutoencoderTiny(autoencoder)]
        if image_encoder is not None:
            networks.append(ImageEncoder(image_encoder))
    return sum(weight.numel() for network in networks for weight in network.parameters())
