"""The autoencoder of Stable Diffusion between image, scaled latent and map."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.feedforward import stream
from monostep.feedforward.blocks import NormConv, PixelAttention, Residual
from monostep.feedforward.double import Double
from monostep.feedforward.layers import Conv
from monostep.network.autoencoder_kl import AutoencoderKLConfig
from monostep.network.blocks import Features


class Halve(stream.Streamed):
    """Stride-2 convolution, padded right and below: n becomes floor(n / 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = Conv(channels, channels, 3, stride=2)

    def forward(self, features: Features) -> Float[Tensor, "batch channel half_h half_w"]:
        """The map at half the resolution."""
        height = features.shape[2] // 2
        seen = stream.rows(features, self.strip)
        if not seen:
            return self._halved(features)
        rows = max(seen // 2, 1)
        halved = stream.Joined(height)
        for top in range(0, height, rows):
            seen_rows = slice(2 * top, 2 * min(top + rows, height) + 1)
            halved.add(self._halved(features[:, :, seen_rows]))
        return halved.whole

    def _halved(self, features: Features) -> Float[Tensor, "batch channel half_h half_w"]:
        """Of rows 0 to 2k, or to 2k-1 at the lower end, where a row of zeros is added."""
        return self.conv(F.pad(features, (0, 1, 0, 1 - features.shape[2] % 2)), padding=(0, 0))


class Middle(nn.Sequential):
    """Residual block, attention over all pixels, residual block."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__(
            _residual(channels, channels, groups),
            PixelAttention(channels, groups=groups),
            _residual(channels, channels, groups),
        )


class Encoder(nn.Sequential):
    """Image in [-1, 1] to its scaled latent."""

    def __init__(self, config: AutoencoderKLConfig) -> None:
        widths, groups = config.channels, config.groups
        layers: list[nn.Module] = [Conv(3, widths[0], 3)]
        for level, width in enumerate(widths):
            before = widths[max(level - 1, 0)]
            layers += _level(before, width, config.layers, groups)
            if level < len(widths) - 1:
                layers.append(Halve(width))
        layers.append(Middle(widths[-1], groups))
        layers.append(NormConv(widths[-1], config.latent_channels, groups=groups, eps=1e-6))
        super().__init__(*layers)


class Decoder(nn.Sequential):
    """Scaled latent to the map, about [-1, 1]: one channel for depth, three for normals."""

    def __init__(self, config: AutoencoderKLConfig, *, channels: int) -> None:
        widths, groups = config.depth_first, config.groups
        latent = config.latent_channels
        layers: list[nn.Module] = [Conv(latent, latent, 1), Conv(latent, widths[0], 3)]
        layers.append(Middle(widths[0], groups))
        for level, width in enumerate(widths):
            before = widths[max(level - 1, 0)]
            layers += _level(before, width, config.layers + 1, groups)
            if level < len(widths) - 1:
                layers.append(Double(width))
        layers.append(NormConv(widths[-1], channels, groups=groups, eps=1e-6))
        super().__init__(*layers)


def _level(before: int, width: int, count: int, groups: int) -> list[Residual]:
    return [_residual(before if i == 0 else width, width, groups) for i in range(count)]


def _residual(inputs: int, outputs: int, groups: int) -> Residual:
    return Residual(inputs, outputs, groups=groups, eps=1e-6)
