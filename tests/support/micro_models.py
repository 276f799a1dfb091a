"""Model folders with two resolutions and random weights: for graphs that must be traced quickly.

The last layers are enlarged, since maps that hardly vary would agree with anything.
"""

from dataclasses import replace
from pathlib import Path

import torch

from monostep.checkpoints import folder
from monostep.checkpoints.card import Card
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.image_encoder import ImageEncoder, ImageEncoderConfig
from monostep.network.unet import UNet, UNetConfig

RESOLUTION = 24
KINDS = {
    "depth": dict(task="depth", quantity="depth", invariance="affine"),
    "normals": dict(task="normals", frame="dsine"),
    # 1 step of a model that was not trained for it, from the latent after the step
    "diffusion-normals": dict(task="normals", frame="opengl", family="diffusion", last="previous"),
}
JOINT = dict(
    **dict(task="geometry", quantity="depth", invariance="affine", frame="opencv"),
    **dict(domain="indoor", attention="joint"),
)
_TINY = AutoencoderTinyConfig(width=8, encoder_blocks=(1, 1), decoder_blocks=(1, 1))
_KL = AutoencoderKLConfig(channels=(8, 8), layers=1, groups=4)


_UNET = UNetConfig(
    in_channels=8,
    out_channels=4,
    channels=(8, 16),
    attention=(True, False),
    heads=(2, 2),
    layers=1,
    context=8,
    groups=4,
)
_LOOKS = ImageEncoderConfig(side=12, patch=4, width=8, layers=1, heads=2, inner=16, outputs=8)


def write(path: Path, kind: str = "depth", *, kl: bool = False, inputs: int = 8) -> Path:
    """A model of a kind; with the KL autoencoder, or with 4 input channels, if wanted."""
    card = Card(name=f"micro-{kind}", resolution=RESOLUTION, **KINDS[kind])
    config = replace(_UNET, in_channels=inputs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        autoencoder = AutoencoderKL(_KL) if kl else AutoencoderTiny(_TINY)
        unet = UNet(config)
        prompt = torch.randn(2, config.context)
        schedule = Schedule(alpha_bar=scaled_linear(), target="velocity")
    out = autoencoder.decoder.conv_out if kl else autoencoder.decoder.layers[-1]
    with torch.no_grad():
        out.weight.mul_(4 if kl else 10)
        unet.conv_out.weight.mul_(4)
    model = LatentDiffusion(unet=unet, autoencoder=autoencoder, prompt=prompt, schedule=schedule)
    folder.save(model, card, path)
    return path


def write_joint(path: Path, *, words: bool = False) -> Path:
    """A model of depth and normals that looks at the picture, or hears the domain in words."""
    config = replace(_UNET, classes=4 if words else 10, joint=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        parts = {
            "autoencoder": AutoencoderTiny(_TINY),
            "unet": UNet(config),
            "schedule": Schedule(alpha_bar=scaled_linear(), target="velocity"),
        }
        seen = {"image_encoder": ImageEncoder(_LOOKS)}
        model = JointDiffusion(**parts, **({"prompts": torch.randn(3, 4, 8)} if words else seen))
    with torch.no_grad():
        model.vae.decoder.layers[-1].weight.mul_(10)
        model.unet.conv_out.weight.mul_(4)
        for name, weight in model.unet.named_parameters():
            if "class_embedding" in name or "attn" in name:
                weight.mul_(3)  # so that what is told apart by them is seen in the maps
    folder.save(model, Card(name="micro-geometry", resolution=RESOLUTION, **JOINT), path)
    return path
