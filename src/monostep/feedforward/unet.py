"""The denoising UNet without its clock and prompt.

latents -> image (+ noise) -> down -> middle -> up -> out
                               \\____ skips ____/
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.diffusion.schedule import Latent
from monostep.feedforward.blocks import NormConv, Residual, Transformer
from monostep.feedforward.layers import Conv, Double
from monostep.network.blocks import Features
from monostep.network.unet import UNetConfig


class Layer(nn.Module):
    """A residual block, then a transformer where the level has them."""

    def __init__(
        self, config: UNetConfig, level: int, inputs: int, *, tokens: int, attends: bool
    ) -> None:
        super().__init__()
        here, groups = config.channels[level], config.groups
        self.residual = Residual(inputs, here, groups=groups, eps=1e-5, timed=True)
        self.transformer = (
            Transformer(here, heads=config.heads[level], tokens=tokens, groups=groups)
            if attends
            else nn.Identity()
        )

    def forward(
        self, features: Features, bias: Float[Tensor, " channel_out"]
    ) -> Float[Tensor, "batch channel_out height width"]:
        """The layer's output; `bias` is the time, as this block hears it."""
        return self.transformer(self.residual(features, bias))


class UNet(nn.Module):
    """Scaled latent of the image, and of the noisy map if it is looked at, to what is said of it.

    `tokens` is the length of the prompt that was folded in.
    """

    def __init__(self, config: UNetConfig, *, latent: int, noisy: int, tokens: int) -> None:
        super().__init__()
        channels, layers = config.channels, config.layers
        top = len(channels) - 1

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

    def forward(self, image: Latent, noisy: Latent | None, time: Float[Tensor, " total"]) -> Latent:
        """What the network says; `time` holds the biases of all residual blocks, one by one."""
        biases = iter(time.split(widths(self)))
        features = self._first(image, noisy)
        skips = [features]
        for level, layers in enumerate(self.down):
            for layer in _each(layers):
                features = layer(features, next(biases))
                skips.append(features)
            if level < len(self.shrink):
                features = self.shrink[level](features)
                skips.append(features)
        for layer in self.middle:
            features = layer(features, next(biases))
        for level, layers in enumerate(self.up):
            for layer in _each(layers):
                features = layer(torch.cat([features, skips.pop()], dim=1), next(biases))
            if level < len(self.enlarge):
                size = (skips[-1].shape[2], skips[-1].shape[3])
                features = self.enlarge[level](features, size)
        return self.out(features)

    def _first(
        self, image: Latent, noisy: Latent | None
    ) -> Float[Tensor, "batch channel_out height width"]:
        features = self.image(image)
        return features if self.noise is None else features + self.noise(noisy)


def widths(unet: UNet) -> list[int]:
    """Channels of every residual block in the order of the way: how a row of time is cut."""
    levels = [*unet.down, unet.middle, *unet.up]
    return [len(layer.residual.second.norm.weight) for layers in levels for layer in _each(layers)]  # pyright: ignore


def _each(layers: nn.Module) -> Iterable[nn.Module]:
    assert isinstance(layers, nn.ModuleList)
    return layers
