"""The small distilled autoencoder: plain convolutions, no norms, no attention.

Layout and parameter names follow diffusers' AutoencoderTiny (the TAESD family).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.network.blocks import Features


@dataclass(frozen=True, kw_only=True)
class AutoencoderTinyConfig:
    """Dimensions of the tiny autoencoder and the factor that gives its latents unit variance."""

    width: int  # channels, the same at every resolution
    encoder_blocks: tuple[int, ...]  # from the image's resolution down
    decoder_blocks: tuple[int, ...]  # from the latent's resolution up
    latent_channels: int = 4
    scale: float = 1.0

    @property
    def factor(self) -> int:
        """Image pixels per latent pixel along one side."""
        return 2 ** (len(self.encoder_blocks) - 1)


class TinyBlock(nn.Module):
    """Three convolutions and a ReLU after the residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, features: Features) -> Features:
        """The features after one block."""
        return torch.relu(self.conv(features) + features)


class TinyEncoder(nn.Module):
    """Image in [-1, 1] to latent; odd sides round up."""

    def __init__(self, config: AutoencoderTinyConfig) -> None:
        super().__init__()
        width = config.width
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1)]
        for level, count in enumerate(config.encoder_blocks):
            if level > 0:
                layers.append(nn.Conv2d(width, width, 3, stride=2, padding=1, bias=False))
            layers.extend(TinyBlock(width) for _ in range(count))
        layers.append(nn.Conv2d(width, config.latent_channels, 3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Features) -> Float[Tensor, "batch latent h w"]:
        """The latent, unscaled."""
        return self.layers((image + 1) / 2)


class TinyDecoder(nn.Module):
    """Latent, softly limited to [-3, 3], to image around [-1, 1]."""

    def __init__(self, config: AutoencoderTinyConfig) -> None:
        super().__init__()
        width = config.width
        layers: list[nn.Module] = [
            nn.Conv2d(config.latent_channels, width, 3, padding=1),
            nn.ReLU(),
        ]
        for level, count in enumerate(config.decoder_blocks):
            if level > 0:
                layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
                layers.append(nn.Conv2d(width, width, 3, padding=1, bias=False))
            layers.extend(TinyBlock(width) for _ in range(count))
        layers.append(nn.Conv2d(width, 3, 3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, latent: Features) -> Float[Tensor, "batch 3 height_out width_out"]:
        """The decoded image, not clamped."""
        return self.layers(torch.tanh(latent / 3) * 3) * 2 - 1


class AutoencoderTiny(nn.Module):
    """Encoder and decoder of the tiny family."""

    def __init__(self, config: AutoencoderTinyConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = TinyEncoder(config)
        self.decoder = TinyDecoder(config)

    def encode(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch latent h w"]:
        """Latent of an image in [-1, 1], unscaled."""
        return self.encoder(image)

    def decode(
        self, latent: Float[Tensor, "batch latent h w"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Image of an unscaled latent, around [-1, 1]."""
        return self.decoder(latent)
