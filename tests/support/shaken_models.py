"""Models in which nothing is a zero or a one any more, so that no fold is proven on those.

torch starts norms at weight 1 and bias 0, and a fold that forgets them would go unnoticed.
"""

import copy
from functools import cache

import torch
from torch import nn

from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear, zero_terminal_snr
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.sizes import TINY_AUTOENCODER, TINY_UNET
from monostep.network.unet import UNet, UNetConfig

# Like TINY_UNET but for one level less and one layer for two: what must be built by the dozen.
SMALL_UNET = UNetConfig(
    in_channels=8,
    out_channels=4,
    channels=(16, 32, 32),
    attention=(False, True, True),
    heads=(1, 2, 4),
    layers=1,
    context=16,
    groups=8,
)
TINY_CODEC = AutoencoderTinyConfig(
    width=8, encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1), scale=0.7
)


def model(
    kind: str = "kl",
    *,
    tokens: int = 2,
    inputs: int = 8,
    target: str = "velocity",
    sampler: str = "ddim",
    zero_snr: bool = False,
    unet: UNetConfig = TINY_UNET,
    seed: int = 0,
) -> LatentDiffusion:
    """A model in float32; `kind` is that of the autoencoder, "kl" or "tiny"."""
    return copy.deepcopy(_model(kind, tokens, inputs, target, sampler, zero_snr, unet, seed))


@cache
def _model(
    kind: str,
    tokens: int,
    inputs: int,
    target: str,
    sampler: str,
    zero_snr: bool,  # noqa: FBT001
    unet: UNetConfig,
    seed: int,
) -> LatentDiffusion:
    config = UNetConfig(**{**unet.__dict__, "in_channels": inputs})
    alpha_bar = zero_terminal_snr(scaled_linear()) if zero_snr else scaled_linear()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        autoencoder = (
            AutoencoderKL(TINY_AUTOENCODER) if kind == "kl" else AutoencoderTiny(TINY_CODEC)
        )
        made = LatentDiffusion(
            unet=UNet(config),
            autoencoder=autoencoder,
            prompt=torch.randn(tokens, config.context),
            schedule=Schedule(alpha_bar=alpha_bar, target=target, sampler=sampler),
        )
        shake(made)
    # Maps that hardly vary would agree with anything.
    out = autoencoder.decoder.conv_out if kind == "kl" else autoencoder.decoder.layers[-1]
    with torch.no_grad():
        out.weight.mul_(2 if kind == "kl" else 10)
    return made.eval()


def shake(module: nn.Module) -> None:
    """Move every norm's weight and bias, and every other bias, from torch's global generator."""
    with torch.no_grad():
        for layer in module.modules():
            norm = isinstance(layer, nn.GroupNorm | nn.LayerNorm)
            bias = getattr(layer, "bias", None)
            if norm:
                layer.weight.add_(0.3 * torch.randn_like(layer.weight))
            if isinstance(bias, nn.Parameter):
                bias.add_((0.3 if norm else 0.1) * torch.randn_like(bias))


def picture(*size: int, batch: int = 1, seed: int = 0) -> torch.Tensor:
    """A random picture [B, 3, H, W] in [-1, 1] with coarse and fine structure."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, 3, 3, 4, generator=generator) * 2 - 1
    smooth = nn.functional.interpolate(coarse, size, mode="bilinear")
    fine = torch.rand(batch, 3, *size, generator=generator) * 2 - 1
    return 0.7 * smooth + 0.3 * fine
