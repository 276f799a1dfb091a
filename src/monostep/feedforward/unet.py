"""The denoising UNet without its clock and prompt.

latents -> image (+ noise) -> down -> middle -> up -> out
                               \\____ skips ____/

Of a joint network each image has two maps on the way, that of depth and that of normals, one after
the other in the batch. They differ by their noise, and by the biases that they hear.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from monostep.diffusion.class_numbers import OF_BOTH
from monostep.diffusion.schedule import Latent
from monostep.feedforward import prompts
from monostep.feedforward.blocks import Bias, NormConv, Residual, Told, Transformer
from monostep.feedforward.double import Double
from monostep.feedforward.layers import Conv
from monostep.geometry.domain import DOMAINS
from monostep.network.blocks import Features
from monostep.network.unet import UNetConfig

NoisyLatent = Float[Tensor, "map channel height width"]
HALVES = 2  # maps of an image: depth and normals


class Layer(nn.Module):
    """A residual block, then a transformer where the level has them."""

    def __init__(
        self, config: UNetConfig, level: int, inputs: int, *, tokens: int, attends: bool
    ) -> None:
        super().__init__()
        here, groups = config.channels[level], config.groups
        self.residual = Residual(inputs, here, groups=groups, eps=1e-5, timed=True)
        self.transformer = _transformer(config, level, tokens) if attends else None

    def forward(
        self, features: Features, bias: Bias, told: Told | None = None
    ) -> Float[Tensor, "batch channel_out height width"]:
        """The layer's output; `bias` is the time (and the class), as this block hears it."""
        features = self.residual(features, bias)
        return features if self.transformer is None else self.transformer(features, told)


class UNet(nn.Module):
    """Scaled latent of the image, and of the noisy map if it is looked at, to what is said of it.

    Args:
        config: of the network that was folded.
        latent: channels of the image's latent.
        noisy: those of the noisy one; 0 where it is not looked at.
        tokens: of the prompt that was folded in, or of each domain's in a network with classes;
            0 where there is none, and each image's vectors are given.
    """

    def __init__(self, config: UNetConfig, *, latent: int, noisy: int, tokens: int) -> None:
        super().__init__()
        channels, layers = config.channels, config.layers
        top = len(channels) - 1
        self.halves = _halves(config)

        def layer(level: int, inputs: int, *, attends: bool | None = None) -> Layer:
            attends = config.attention[level] if attends is None else attends
            return Layer(config, level, inputs, tokens=tokens, attends=attends)

        self.image = Conv(latent, channels[0], 3)
        self.noise = Conv(noisy, channels[0], 3, bias=False) if noisy else None
        self.down = nn.ModuleList(
            nn.ModuleList(
                layer(i, channels[max(i - 1, 0)] if j == 0 else channels[i]) for j in range(layers)
            )
            for i in range(top + 1)
        )
        self.shrink = nn.ModuleList(Conv(c, c, 3, stride=2) for c in channels[:-1])
        self.middle = nn.ModuleList(
            [layer(top, channels[top], attends=True), layer(top, channels[top], attends=False)]
        )
        self.up = nn.ModuleList(
            nn.ModuleList(
                layer(
                    i,
                    (channels[min(i + 1, top)] if j == 0 else channels[i])
                    + (channels[max(i - 1, 0)] if j == layers else channels[i]),
                )
                for j in range(layers + 1)
            )
            for i in reversed(range(top + 1))
        )
        self.enlarge = nn.ModuleList(Double(c) for c in channels[:0:-1])
        self.out = NormConv(channels[0], config.out_channels, groups=config.groups, eps=1e-5)

    def forward(
        self,
        image: Latent,
        noisy: NoisyLatent | None,
        time: Float[Tensor, " total"] | Float[Tensor, "map total"],
        told: Float[Tensor, "image sum"] | Int[Tensor, " image"] | None = None,
    ) -> NoisyLatent:
        """What the network says.

        Args:
            image: the scaled latents of images.
            noisy: of their maps.
            time: biases of all residual blocks, one after another, for all maps or each.
            told: what all transformers read of each image, one after another, or its domain.
        """
        heard = iter(zip(time.split(widths(self), dim=-1), self._shares(told), strict=True))
        features = self._first(image, noisy)
        skips = [features]
        for level, layers in enumerate(self.down):
            for layer in _each(layers):
                features = layer(features, *next(heard))
                skips.append(features)
            if level < len(self.shrink):
                features = self.shrink[level](features)
                skips.append(features)
        for layer in self.middle:
            features = layer(features, *next(heard))
        for level, layers in enumerate(self.up):
            for layer in _each(layers):
                features = layer(torch.cat([features, skips.pop()], dim=1), *next(heard))
            if level < len(self.enlarge):
                size = (skips[-1].shape[2], skips[-1].shape[3])
                features = self.enlarge[level](features, size)
        return self.out(features)

    def _first(
        self, image: Latent, noisy: NoisyLatent | None
    ) -> Float[Tensor, "map channel_out height width"]:
        features = self.image(image)
        if self.halves > 1:  # of channels last, and so laid out again
            rows = features.permute(0, 2, 3, 1).repeat_interleave(self.halves, dim=0)
            features = rows.permute(0, 3, 1, 2)
        return features if self.noise is None else features + self.noise(noisy)

    def _shares(self, told: Tensor | None) -> list[Tensor | None]:
        """What each layer's transformer reads."""
        attends = [layer.transformer is not None for layer in layers_of(self)]
        if told is None or not told.is_floating_point():
            return [told if here else None for here in attends]
        parts = iter(told.split(told_widths(self), dim=1))
        return [next(parts) if here else None for here in attends]


def layers_of(unet: UNet) -> list[Layer]:
    """All layers in the order of the way."""
    levels = [*unet.down, unet.middle, *unet.up]
    return [layer for layers in levels for layer in _each(layers)]  # pyright: ignore


def widths(unet: UNet) -> list[int]:
    """Channels of every residual block in the order of the way: how a row of time is cut."""
    return [len(layer.residual.second.norm.weight) for layer in layers_of(unet)]


def told_widths(unet: UNet) -> list[int]:
    """Channels of every transformer, likewise: how what they read of an image is cut."""
    layers = zip(layers_of(unet), widths(unet), strict=True)
    return [width for layer, width in layers if layer.transformer is not None]


def rows(config: UNetConfig) -> tuple[int, ...]:
    """How many rows of time there are at a timestep: by domain and half, if there are classes."""
    if config.classes is None:
        return ()
    return (len(DOMAINS) if config.classes == OF_BOTH else 1, HALVES)


def _transformer(config: UNetConfig, level: int, tokens: int) -> Transformer:
    width, heads = config.channels[level], config.heads[level]
    domains = None if config.classes is None else len(DOMAINS)
    return Transformer(
        width,
        heads=heads,
        groups=config.groups,
        prompt=prompts.attention(width, heads=heads, tokens=tokens, domains=domains),
        halves=_halves(config),
        joint=config.joint,
    )


def _halves(config: UNetConfig) -> int:
    return 1 if config.classes is None else HALVES


def _each(layers: nn.Module) -> Iterable[nn.Module]:
    assert isinstance(layers, nn.ModuleList)
    return layers
