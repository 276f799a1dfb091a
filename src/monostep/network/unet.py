"""The denoising UNet of Stable Diffusion 2, at any width and any latent size.

    latent [B, in, h, w] -> conv_in -> down_blocks -> mid_block -> up_blocks -> conv_out
                                  \\________ skips ________/
    every residual block also hears the time and, where there is one, the class; every
    transformer reads the prompt

Layout and parameter names follow diffusers' UNet2DConditionModel: its files load as they are.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.network.attention import SpatialTransformer, timestep_embedding
from monostep.network.blocks import Downsample, ResidualBlock, Upsample
from monostep.network.norm import GroupNorm


@dataclass(frozen=True, kw_only=True)
class UNetConfig:
    """Dimensions of a UNet, one entry per resolution where a tuple is given."""

    in_channels: int
    out_channels: int
    channels: tuple[int, ...]
    attention: tuple[bool, ...]  # transformers at this resolution?
    heads: tuple[int, ...]
    layers: int  # residual blocks per resolution on the way down; one more on the way up
    context: int  # width of a prompt token
    groups: int = 32
    classes: int | None = None  # numbers that say the class of an image (GeoWizard: 10); none
    joint: bool = False  # whether the two halves of a batch attend to each other (GeoWizard)

    @property
    def time(self) -> int:
        """Width of the time embedding."""
        return 4 * self.channels[0]

    @property
    def multiple(self) -> int:
        """Latent sides divisible by this need no uneven enlargement (others work too)."""
        return 2 ** (len(self.channels) - 1)


class Embedding(nn.Module):
    """Two-layer perceptron, on the sinusoids of the timestep or on the numbers of a class."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(inputs, outputs)
        self.linear_2 = nn.Linear(outputs, outputs)

    def forward(self, numbers: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch outputs"]:
        """The embedding that every residual block adds."""
        return self.linear_2(F.silu(self.linear_1(numbers)))


class Stage(nn.Module):
    """Residual blocks (each with a transformer or not) at one resolution."""

    def __init__(self, config: UNetConfig, level: int, inputs: list[int]) -> None:
        super().__init__()
        outputs = config.channels[level]
        self.resnets = nn.ModuleList(
            [
                ResidualBlock(n, outputs, groups=config.groups, eps=1e-5, time=config.time)
                for n in inputs
            ]
        )
        if config.attention[level]:
            self.attentions = nn.ModuleList([_transformer(config, level) for _ in inputs])
        self.has_attention = config.attention[level]

    def layer(
        self,
        index: int,
        features: Float[Tensor, "batch channel height width"],
        time: Float[Tensor, "batch time"],
        context: Float[Tensor, "batch token width_of_context"],
    ) -> Float[Tensor, "batch channel_out height width"]:
        """One residual block and its transformer."""
        features = self.resnets[index](features, time)
        return self.attentions[index](features, context) if self.has_attention else features


class DownStage(Stage):
    """A resolution on the way down: returns what the way up will need."""

    def __init__(self, config: UNetConfig, level: int) -> None:
        before, here = config.channels[max(level - 1, 0)], config.channels[level]
        super().__init__(config, level, [before] + [here] * (config.layers - 1))
        last = level == len(config.channels) - 1
        self.downsamplers = None if last else nn.ModuleList([Downsample(here)])

    def forward(self, features: Tensor, time: Tensor, context: Tensor) -> tuple[Tensor, ...]:
        """All outputs at this resolution, and the next one's input at the end."""
        outputs = []
        for index in range(len(self.resnets)):
            features = self.layer(index, features, time, context)
            outputs.append(features)
        if self.downsamplers is not None:
            outputs.append(self.downsamplers[0](features))
        return tuple(outputs)


class MiddleStage(nn.Module):
    """Residual block, transformer, residual block at the lowest resolution."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        width = config.channels[-1]
        self.resnets = nn.ModuleList(
            [
                ResidualBlock(width, width, groups=config.groups, eps=1e-5, time=config.time)
                for _ in range(2)
            ]
        )
        self.attentions = nn.ModuleList([_transformer(config, len(config.channels) - 1)])

    def forward(self, features: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """The features after the whole picture was seen at once."""
        features = self.resnets[0](features, time)
        features = self.attentions[0](features, context)
        return self.resnets[1](features, time)


class UpStage(Stage):
    """A resolution on the way up: joins the skips of its twin on the way down."""

    def __init__(self, config: UNetConfig, level: int) -> None:
        here = config.channels[level]
        below = config.channels[min(level + 1, len(config.channels) - 1)]
        above = config.channels[max(level - 1, 0)]
        skips = [here] * config.layers + [above]
        incoming = [below] + [here] * config.layers
        super().__init__(config, level, [a + b for a, b in zip(incoming, skips, strict=True)])
        self.upsamplers = None if level == 0 else nn.ModuleList([Upsample(here)])

    def forward(
        self,
        features: Tensor,
        time: Tensor,
        context: Tensor,
        skips: tuple[Tensor, ...],
        size: tuple[int, int] | None,
    ) -> Tensor:
        """The features with their skips, enlarged to `size` unless this is the top."""
        for index, skip in enumerate(reversed(skips)):
            features = self.layer(index, torch.cat([features, skip], dim=1), time, context)
        return features if self.upsamplers is None else self.upsamplers[0](features, size)


class UNet(nn.Module):
    """Latent, timestep and prompt in; the schedule's target (for SD2 the velocity) out."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        levels = range(len(config.channels))
        self.config = config
        self.conv_in = nn.Conv2d(config.in_channels, config.channels[0], 3, padding=1)
        self.time_embedding = Embedding(config.channels[0], config.time)
        self.class_embedding = (
            None if config.classes is None else Embedding(config.classes, config.time)
        )
        self.down_blocks = nn.ModuleList([DownStage(config, level) for level in levels])
        self.mid_block = MiddleStage(config)
        self.up_blocks = nn.ModuleList([UpStage(config, level) for level in reversed(levels)])
        self.conv_norm_out = GroupNorm(config.groups, config.channels[0], eps=1e-5)
        self.conv_out = nn.Conv2d(config.channels[0], config.out_channels, 3, padding=1)

    def forward(
        self,
        latent: Float[Tensor, "batch in_channels height width"],
        time: Int[Tensor, " batch"],
        context: Float[Tensor, "batch token width_of_context"],
        classes: Float[Tensor, "batch number"] | None = None,
    ) -> Float[Tensor, "batch out_channels height width"]:
        """The network's output at every latent pixel; `classes` if and only if it has any.

        Raises:
            ValueError: classes for a network without them, or none for one that has them.
        """
        embedded = self._embedded(time, classes)
        features = self.conv_in(latent)
        skips = [features]
        for down in self.down_blocks:
            outputs = down(features, embedded, context)
            features = outputs[-1]
            skips.extend(outputs)
        features = self.mid_block(features, embedded, context)
        for up in self.up_blocks:
            used = len(up.resnets)  # pyright: ignore[reportArgumentType]
            own, skips = tuple(skips[-used:]), skips[:-used]
            size = tuple(skips[-1].shape[2:]) if skips else None
            features = up(features, embedded, context, own, size)
        return self.conv_out(F.silu(self.conv_norm_out(features)))

    def _embedded(
        self, time: Int[Tensor, " batch"], classes: Float[Tensor, "batch number"] | None
    ) -> Float[Tensor, "batch time"]:
        """What every residual block hears: the time, and the class added to it."""
        dtype = self.conv_in.weight.dtype
        sinusoids = timestep_embedding(time.float(), self.config.channels[0])
        embedded = self.time_embedding(sinusoids.to(dtype))
        if (classes is None) != (self.class_embedding is None):
            raise ValueError(
                f"classes {'missing' if classes is None else 'given'}, expected "
                f"{self.config.classes or 'no'} numbers for each image"
            )
        if classes is None or self.class_embedding is None:
            return embedded
        return embedded + self.class_embedding(classes.to(dtype))


def _transformer(config: UNetConfig, level: int) -> SpatialTransformer:
    return SpatialTransformer(
        config.channels[level],
        heads=config.heads[level],
        context=config.context,
        groups=config.groups,
        joint=config.joint,
    )
