"""From config.json and weight files to a network.

In float32, or with `copy` false as stored and not read yet (`weights.stream`).
"""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import torch

from monostep.checkpoints import dimensions, image_encoder_config, layout, weights
from monostep.diffusion.latent_diffusion import Autoencoder
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.image_encoder import ImageEncoder, ImageEncoderConfig
from monostep.network.unet import UNet, UNetConfig

UNUSED = ("vision_model.embeddings.position_ids",)  # 0, 1, 2, ... in an encoder's older files


def unet(folder: Path, files: Sequence[str], *, joint: bool = True, copy: bool = True) -> UNet:
    """The UNet of a checkpoint folder, from its weight files' names; raises CheckpointError.

    `joint`: whether the halves of a batch see each other, where the UNet has classes.
    """
    config = unet_config(folder, files)
    with torch.device("meta"):
        network = UNet(dataclasses.replace(config, joint=config.joint and joint))
    weights.fill(network, [folder / name for name in files], copy=copy)
    return network


def unet_config(folder: Path, files: Sequence[str]) -> UNetConfig:
    """The dimensions of the UNet with these weight files; its config.json lies beside them."""
    beside = PurePosixPath(files[0]).with_name("config.json")
    return dimensions.unet_from_json(layout.read(folder / beside))


def image_encoder(folder: Path, files: Iterable[str], *, copy: bool = True) -> ImageEncoder:
    """The image encoder of a checkpoint folder, likewise."""
    with torch.device("meta"):
        network = ImageEncoder(image_encoder_dimensions(folder))
    weights.fill(network, [folder / name for name in files], copy=copy, unused=UNUSED)
    return network


def image_encoder_dimensions(folder: Path) -> ImageEncoderConfig:
    """What the image encoder of a checkpoint folder says it is."""
    return image_encoder_config.from_json(
        layout.read(folder / layout.IMAGE_ENCODER_CONFIG),
        layout.read(folder / layout.PREPROCESSOR_CONFIG),
    )


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
