"""Writes a full-size checkpoint with random weights, for measurements: 866 M + 84 M parameters.

    python scripts/random_checkpoint.py FOLDER

The layout is Marigold depth v1.1's (3.8 GB in float32). The last layers are scaled so that the
decoded map spreads over [-1, 1]: a constant would be equal to anything.
"""

import sys
from pathlib import Path

import torch

from monostep.checkpoints import folder, layout
from monostep.checkpoints.card import Card
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear, zero_terminal_snr
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.sizes import SD2_AUTOENCODER, SD2_UNET
from monostep.network.unet import UNet

SPREAD = 0.4  # standard deviation of the decoded map


def _scale(layer: torch.nn.Conv2d, output: torch.Tensor, spread: float) -> None:
    """Give each channel that a last layer made mean 0 and this spread."""
    gain = spread / output.std(dim=(0, 2, 3))
    layer.weight.mul_(gain[:, None, None, None])
    layer.bias.copy_((layer.bias - output.mean(dim=(0, 2, 3))) * gain)


target = Path(sys.argv[1])
torch.manual_seed(0)
model = LatentDiffusion(
    unet=UNet(SD2_UNET),
    autoencoder=AutoencoderKL(SD2_AUTOENCODER),
    prompt=torch.randn(2, SD2_UNET.context),
    schedule=Schedule(alpha_bar=zero_terminal_snr(scaled_linear()), target="velocity"),
).eval()
with torch.inference_mode():
    picture = torch.rand(1, 3, 128, 128) * 2 - 1
    latent = model.encode(picture)
    time = torch.tensor([model.schedule.last])
    velocity = model.output(latent, torch.zeros_like(latent), time)
    _scale(model.unet.conv_out, velocity, 1.0)
    _scale(model.vae.decoder.conv_out, model(picture), SPREAD)
card = Card(
    name="random",
    task="depth",
    quantity="depth",
    invariance="affine",
    family="diffusion",
    noise="gaussian",
    last="previous",
)
folder.save(model, card, target)
(target / layout.CARD).unlink()  # published checkpoints have none
print(f"{target}: {sum(weight.numel() for weight in model.parameters()):,} parameters")  # noqa: T201
