"""From config.json and weight files to a network, in float32."""

from collections.abc import Iterable
from pathlib import Path

import torch

from monostep.checkpoints import dimensions, layout, weights
from monostep.diffusion.latent_diffusion import Autoencoder
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.network.unet import UNet


def unet(folder: Path, files: Iterable[str]) -> UNet:
    """The UNet of a checkpoint folder, from its weight files' names; raises CheckpointError."""
    config = dimensions.unet_from_json(layout.read(folder / layout.UNET_CONFIG))
    with torch.device("meta"):
        network = UNet(config)
    weights.fill(network, [folder / name for name in files])
    return network


def autoencoder(folder: Path, files: Iterable[str]) -> Autoencoder:
    """The autoencoder of a checkpoint folder, likewise."""
    config = dimensions.autoencoder_from_json(layout.read(folder / layout.VAE_CONFIG))
    with torch.device("meta"):
        if isinstance(config, AutoencoderKLConfig):
            network = AutoencoderKL(config)
        else:
            network = AutoencoderTiny(config)
    weights.fill(network, [folder / name for name in files])
    return network
