"""Model folders with two resolutions and random weights: for graphs that must be traced quickly.

The last layers are enlarged, since maps that hardly vary would agree with anything.
"""

from pathlib import Path

import torch

from monostep.checkpoints import folder
from monostep.checkpoints.card import Card
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.unet import UNet, UNetConfig

RESOLUTION = 24
KINDS = {
    "depth": dict(task="depth", quantity="depth", invariance="affine"),
    "normals": dict(task="normals", frame="dsine"),
    # 1 step of a model that was not trained for it, from the latent after the step
    "diffusion-normals": dict(task="normals", frame="opengl", family="diffusion", last="previous"),
}
_TINY = AutoencoderTinyConfig(width=8, encoder_blocks=(1, 1), decoder_blocks=(1, 1))
_KL = AutoencoderKLConfig(channels=(8, 8), layers=1, groups=4)


def write(path: Path, kind: str = "depth", *, kl: bool = False, inputs: int = 8) -> Path:
    """A model of a kind; with the KL autoencoder, or with 4 input channels, if wanted."""
    card = Card(name=f"micro-{kind}", resolution=RESOLUTION, **KINDS[kind])
    config = UNetConfig(
        in_channels=inputs,
        out_channels=4,
        channels=(8, 16),
        attention=(True, False),
        heads=(2, 2),
        layers=1,
        context=8,
        groups=4,
    )
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
