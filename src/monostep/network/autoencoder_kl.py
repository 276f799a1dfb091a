"""The autoencoder of Stable Diffusion: image [B, 3, H, W] in [-1, 1] <-> latent [B, 4, h, w].

Encoding gives the posterior's mean (never a sample); scaling is left to the caller.
Layout and parameter names follow diffusers' AutoencoderKL.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.network.attention import PixelAttention
from monostep.network.blocks import DownsampleFloor, Features, ResidualBlock, Upsample
from monostep.network.norm import GroupNorm


@dataclass(frozen=True, kw_only=True)
class AutoencoderKLConfig:
    """Dimensions of the KL autoencoder and the factor that gives its latents unit variance."""

    channels: tuple[int, ...]
    layers: int
    latent_channels: int = 4
    groups: int = 32
    scale: float = 0.18215

    @property
    def factor(self) -> int:
        """Image pixels per latent pixel along one side."""
        return 2 ** (len(self.channels) - 1)

    @property
    def depth_first(self) -> tuple[int, ...]:
        """The channels from the lowest resolution up."""
        return self.channels[::-1]


def _residual(config: AutoencoderKLConfig, inputs: int, outputs: int) -> ResidualBlock:
    return ResidualBlock(inputs, outputs, groups=config.groups, eps=1e-6)


class Level(nn.Module):
    """Residual blocks at one resolution, then a change of resolution where one follows."""

    def __init__(
        self,
        config: AutoencoderKLConfig,
        widths: tuple[int, int],
        *,
        layers: int,
        down: bool = False,
        up: bool = False,
    ) -> None:
        super().__init__()
        inputs, outputs = widths
        self.resnets = nn.ModuleList(
            [_residual(config, inputs if i == 0 else outputs, outputs) for i in range(layers)]
        )
        self.downsamplers = nn.ModuleList([DownsampleFloor(outputs)]) if down else None
        self.upsamplers = nn.ModuleList([Upsample(outputs)]) if up else None

    def forward(self, features: Features) -> Float[Tensor, "batch channel_out h_out w_out"]:
        """The next level's input."""
        for resnet in self.resnets:
            features = resnet(features)
        for resample in (self.downsamplers, self.upsamplers):
            features = features if resample is None else resample[0](features)
        return features


class Middle(nn.Module):
    """Residual block, attention over all pixels, residual block."""

    def __init__(self, config: AutoencoderKLConfig) -> None:
        super().__init__()
        width = config.channels[-1]
        self.attentions = nn.ModuleList([PixelAttention(width, groups=config.groups)])
        self.resnets = nn.ModuleList([_residual(config, width, width) for _ in range(2)])

    def forward(self, features: Features) -> Features:
        """The features after every pixel has seen every other."""
        return self.resnets[1](self.attentions[0](self.resnets[0](features)))


class Encoder(nn.Module):
    """Image to the moments (mean, log-variance) of its latent, before `quant_conv`."""

    def __init__(self, config: AutoencoderKLConfig) -> None:
        super().__init__()
        widths = config.channels
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            [
                Level(
                    config,
                    (widths[max(i - 1, 0)], widths[i]),
                    layers=config.layers,
                    down=i < len(widths) - 1,
                )
                for i in range(len(widths))
            ]
        )
        self.mid_block = Middle(config)
        self.conv_norm_out = GroupNorm(config.groups, widths[-1], eps=1e-6)
        self.conv_out = nn.Conv2d(widths[-1], 2 * config.latent_channels, 3, padding=1)

    def forward(self, image: Features) -> Float[Tensor, "batch moments h w"]:
        """Twice the latent channels: means, then log-variances."""
        features = self.conv_in(image)
        for block in self.down_blocks:
            features = block(features)
        features = self.mid_block(features)
        return self.conv_out(F.silu(self.conv_norm_out(features)))


class Decoder(nn.Module):
    """Latent, after `post_quant_conv`, to image."""

    def __init__(self, config: AutoencoderKLConfig) -> None:
        super().__init__()
        widths = config.depth_first
        self.conv_in = nn.Conv2d(config.latent_channels, widths[0], 3, padding=1)
        self.mid_block = Middle(config)
        self.up_blocks = nn.ModuleList(
            [
                Level(
                    config,
                    (widths[max(i - 1, 0)], widths[i]),
                    layers=config.layers + 1,
                    up=i < len(widths) - 1,
                )
                for i in range(len(widths))
            ]
        )
        self.conv_norm_out = GroupNorm(config.groups, widths[-1], eps=1e-6)
        self.conv_out = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, latent: Features) -> Float[Tensor, "batch 3 height_out width_out"]:
        """The decoded image, not clamped."""
        features = self.mid_block(self.conv_in(latent))
        for block in self.up_blocks:
            features = block(features)
        return self.conv_out(F.silu(self.conv_norm_out(features)))  # pyright: ignore


class AutoencoderKL(nn.Module):
    """Encoder and decoder with the 1x1 convolutions between them and the latent."""

    def __init__(self, config: AutoencoderKLConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv2d(2 * config.latent_channels, 2 * config.latent_channels, 1)
        self.post_quant_conv = nn.Conv2d(config.latent_channels, config.latent_channels, 1)

    def encode(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch latent h w"]:
        """Mean of the latent's distribution, unscaled."""
        return self.quant_conv(self.encoder(image)).chunk(2, dim=1)[0]

    def decode(
        self, latent: Float[Tensor, "batch latent h w"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Image of an unscaled latent, around [-1, 1]."""
        return self.decoder(self.post_quant_conv(latent))
