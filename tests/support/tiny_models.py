"""Model folders with random weights: the whole way, in milliseconds."""

from pathlib import Path

import torch
import written_once

from monostep.checkpoints import folder
from monostep.checkpoints.card import Card
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.sizes import TINY_UNET
from monostep.network.unet import UNet

RESOLUTION = 48


def depth_folder(path: Path, *, seed: int = 1) -> Path:
    """A depth model; another seed is another model."""
    card = Card(
        name="tiny-depth",
        task="depth",
        quantity="depth",
        invariance="affine",
        resolution=RESOLUTION,
        scores={"test": {"abs_rel": 0.25, "delta1": 0.5, "images": 8}},
    )
    return _save(card, path, seed=seed)


def normals_folder(path: Path, *, seed: int = 2) -> Path:
    """A normals model; another seed is another model."""
    card = Card(name="tiny-normals", task="normals", frame="opengl", resolution=RESOLUTION)
    return _save(card, path, seed=seed)


def _save(card: Card, path: Path, *, seed: int) -> Path:
    return written_once.folder(path, (card.name, seed), lambda place: _write(card, place, seed))


def _write(card: Card, path: Path, seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LatentDiffusion(
            unet=UNet(TINY_UNET),
            autoencoder=AutoencoderTiny(
                AutoencoderTinyConfig(width=8, encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1))
            ),
            prompt=torch.randn(2, TINY_UNET.context),
            schedule=Schedule(alpha_bar=scaled_linear(), target="velocity"),
        )
    folder.save(model, card, path)
