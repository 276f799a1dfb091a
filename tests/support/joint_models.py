"""Joint models with random weights in which nothing is a zero or a one: GeoWizard, tiny."""

from pathlib import Path

import torch
import written_once
from torch import nn

from monostep.checkpoints import folder
from monostep.checkpoints.card import Card
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.image_encoder import ImageEncoder
from monostep.network.sizes import TINY_IMAGE_ENCODER, TINY_JOINT_UNET, TINY_JOINT_V2_UNET
from monostep.network.unet import UNet, UNetConfig

RESOLUTION = 48
CARD = Card(
    name="tiny-geometry",
    task="geometry",
    quantity="depth",
    invariance="affine",
    frame="opencv",
    domain="indoor",
    attention="joint",
    resolution=RESOLUTION,
)
_TINY = AutoencoderTinyConfig(width=8, encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1))


def model(*, words: bool = False, seed: int = 5, unet: UNetConfig | None = None) -> JointDiffusion:
    """A joint model that looks at the picture, or hears the domain in words (version 2)."""
    config = unet or (TINY_JOINT_V2_UNET if words else TINY_JOINT_UNET)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = {
            "unet": UNet(config),
            "autoencoder": AutoencoderTiny(_TINY),
            "schedule": Schedule(alpha_bar=scaled_linear(), target="velocity"),
        }
        if words:
            made = JointDiffusion(**parts, prompts=torch.randn(3, 4, config.context))
        else:
            made = JointDiffusion(**parts, image_encoder=ImageEncoder(TINY_IMAGE_ENCODER))
        _shake(made)
    return made.eval()


def geometry_folder(path: Path, *, words: bool = False, seed: int = 5) -> Path:
    """A joint model's own folder; another seed is another model."""
    return written_once.folder(
        path,
        ("joint", words, seed),
        lambda place: folder.save(model(words=words, seed=seed), CARD, place),
    )


@torch.no_grad()
def _shake(made: nn.Module) -> None:
    for parameter in made.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
