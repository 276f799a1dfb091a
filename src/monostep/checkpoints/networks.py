"""From config.json and weight files to a network.

In float32, or with `copy` false as stored and not read yet (`weights.stream`).
"""

from collections.abc import Iterable
from pathlib import Path

import torch

from monostep.checkpoints import dimensions, layout, weights
from monostep.diffusion.latent_diffusion import Autoencoder
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.unet import UNet


def unet(folder: Path, files: Iterable[str], *, copy: bool = True) -> UNet:
    """The UNet of a checkpoint folder, from its weight files' names; raises CheckpointError."""
    config = dimensions.unet_from_json(layout.read(folder / layout.UNET_CONFIG))
    with torch.device("meta"):
        network = UNet(config)
    weights.fill(network, [folder / name for name in files], copy=copy)
    return network


def autoencoder(folder: Path, files: Iterable[str], *, copy: bool = True) -> Autoencoder:
    """The autoencoder of a checkpoint folder, likewise."""
    config = dimensions.autoencoder_from_json(layout.read(folder / layout.VAE_CONFIG))
    return filled_autoencoder(config, [folder / name for name in files], copy=copy)


def filled_autoencoder(
    config: AutoencoderKLConfig | AutoencoderTinyConfig, files: Iterable[Path], *, copy: bool = True
) -> Autoencoder:
    """An autoencoder of these dimensions with the weights of these files."""
    with torch.device("meta"):
        if isinstance(config, AutoencoderKLConfig):
            network = AutoencoderKL(config)
        else:
            network = AutoencoderTiny(config)
    weights.fill(network, files, copy=copy)
    return network
