"""The small distilled autoencoder between image, scaled latent and map."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.feedforward.double import Double
from monostep.feedforward.layers import Conv
from monostep.network.autoencoder_tiny import AutoencoderTinyConfig
from monostep.network.blocks import Features


class Block(nn.Module):
    """Three convolutions and a ReLU after the residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(Conv(width, width, 3) for _ in range(3))

    def forward(self, features: Features) -> Features:
        """The features after one block."""
        first, second, third = self.convs
        return torch.relu(third(torch.relu(second(torch.relu(first(features))))) + features)


class Encoder(nn.Module):
    """Image in [-1, 1] to its scaled latent."""

    def __init__(self, config: AutoencoderTinyConfig) -> None:
        super().__init__()
        width = config.width
        layers: list[nn.Module] = [Conv(3, width, 3)]
        for level, count in enumerate(config.encoder_blocks):
            if level > 0:
                layers.append(Conv(width, width, 3, stride=2, bias=False))
            layers.extend(Block(width) for _ in range(count))
        self.layers = nn.Sequential(*layers, Conv(width, config.latent_channels, 3))

    def forward(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch latent_channels latent_height latent_width"]:
        """The scaled latent; odd sides round up."""
        # Not folded: at the border the first convolution sees zeros after this, not before.
        return self.layers((image + 1) / 2)


class Decoder(nn.Module):
    """Scaled latent to the map, about [-1, 1]: one channel for depth, three for normals."""

    def __init__(self, config: AutoencoderTinyConfig, *, channels: int) -> None:
        super().__init__()
        width = config.width
        self.limit = 3 * config.scale  # latents are softly kept within 3 before scaling
        layers: list[nn.Module] = [Conv(config.latent_channels, width, 3), nn.ReLU()]
        for level, count in enumerate(config.decoder_blocks):
            if level > 0:
                layers.append(Double(width, bias=False))
            layers.extend(Block(width) for _ in range(count))
        self.layers = nn.Sequential(*layers)
        self.out = Conv(width, channels, 3)

    def forward(
        self, latent: Float[Tensor, "batch latent_channels latent_height latent_width"]
    ) -> Float[Tensor, "batch channel height width"]:
        """The map, in the precision of the last convolution."""
        features = self.layers(torch.tanh(latent / self.limit))
        return self.out(features.to(self.out.dtype))
