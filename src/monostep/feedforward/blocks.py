"""The pieces between image and map, with nothing left in them that is constant at inference."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.feedforward import stream, strips
from monostep.feedforward.layers import Conv, Dense
from monostep.network.blocks import Features

Tokens = Float[Tensor, "batch space channel"]
TokensOfImage = Float[Tensor, "image spaces channel"]  # of all of its maps
Told = (
    Float[Tensor, "image channel_told"] | Int[Tensor, " image"]
)  # a vector, or the domain's index
Bias = Float[Tensor, " channel_out"] | Float[Tensor, "batch channel_out"]


class NormConv(stream.Streamed):
    """Group norm, SiLU, 3x3 convolution."""

    def __init__(
        self, inputs: int, outputs: int, *, groups: int, eps: float, bias: bool = True
    ) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, inputs, eps=eps)
        self.conv = Conv(inputs, outputs, 3, bias=bias)

    def forward(
        self, features: Features, bias: Bias | None = None
    ) -> Float[Tensor, "batch channel_out height width"]:
        """The convolved map in the convolution's precision; a bias may be each image's own."""
        if rows := stream.rows(features, self.strip):
            return strips.convolve(self.norm, self.conv, features, rows=rows, bias=bias)
        norm = self.norm
        normal = strips.normal(
            features.to(norm.weight.dtype),
            norm.num_groups,
            eps=norm.eps,
            weight=norm.weight,
            bias=norm.bias,
        )
        return self.conv(F.silu(normal, inplace=stream.is_free()), bias)


class Residual(nn.Module):
    """Two of them with a shortcut; the time, if any, is the first one's bias."""

    def __init__(
        self, inputs: int, outputs: int, *, groups: int, eps: float, timed: bool = False
    ) -> None:
        super().__init__()
        self.first = NormConv(inputs, outputs, groups=groups, eps=eps, bias=not timed)
        self.second = NormConv(outputs, outputs, groups=groups, eps=eps)
        self.shortcut = nn.Identity() if inputs == outputs else Conv(inputs, outputs, 1)

    def forward(
        self, features: Features, bias: Bias | None = None
    ) -> Float[Tensor, "batch channel_out height width"]:
        """The block's output."""
        change = self.first(features, bias)
        if rows := stream.rows(change, self.second.strip):
            second = self.second
            return strips.convolve(
                second.norm,
                second.conv,
                change,
                rows=rows,
                plus=lambda here: self.shortcut(features[:, :, here]),
                over=True,
            )
        return self.shortcut(features) + self.second(change)


class SelfAttention(stream.Streamed):
    """Attention of tokens to themselves; queries, keys and values are one product."""

    def __init__(self, channels: int, *, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.inward = Dense(channels, 3 * channels, bias=bias)
        self.outward = Dense(channels, channels)

    def forward(self, tokens: Tokens) -> Tokens:
        """What each token reads from all."""
        # batch head token channel
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in self.inward(tokens).chunk(3, dim=2)
        )
        # Some kernels hold all pairs of tokens: with these many queries at a time they need not.
        at_once = _at_once(self.strip, self.heads * key.shape[2] * query.element_size())
        read = [
            F.scaled_dot_product_attention(some, key, value) for some in _split(query, at_once, 2)
        ]
        together = read[0] if len(read) == 1 else torch.cat(read, dim=2)
        return self.outward(together.transpose(1, 2).flatten(2))


class GatedFeedForward(stream.Streamed):
    """Value times GELU of gate, four times as wide inside, token by token."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inward = Dense(channels, 8 * channels)
        self.outward = Dense(4 * channels, channels)

    def forward(self, tokens: Tokens) -> Tokens:
        """The output for every token."""
        wide = 8 * tokens.shape[2] * tokens.element_size() * tokens.shape[0]
        parts = [self._gated(some) for some in _split(tokens, _at_once(self.strip, wide), 1)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def _gated(self, tokens: Tokens) -> Tokens:
        value, gate = self.inward(tokens).chunk(2, dim=2)
        return self.outward(value * F.gelu(gate))


class Transformer(nn.Module):
    """Self-attention, attention to what is told, feed-forward, on the pixels of a map.

    The norms have no weights: those are in the products that follow.

    Args:
        channels: of the map.
        heads: of the self-attention.
        groups: of the norm.
        prompt: of `prompts`; None: what is told is the vector that it would give.
        halves: 2 where an image has two maps in the batch, one after the other: all of their
            tokens are told the same.
        joint: whether the tokens of both maps see each other; GeoWizard's cross-domain attention,
            which is attention of twice as many tokens.
    """

    def __init__(
        self,
        channels: int,
        *,
        heads: int,
        groups: int,
        prompt: nn.Module | None,
        halves: int = 1,
        joint: bool = False,
    ) -> None:
        super().__init__()
        self.groups, self.halves, self.joint = groups, halves, joint
        self.inward = Dense(channels, channels)
        self.attention = SelfAttention(channels, heads=heads, bias=True)
        self.prompt = prompt
        self.feed_forward = GatedFeedForward(channels)
        self.outward = Dense(channels, channels)

    def forward(self, features: Features, told: Told | None = None) -> Features:
        """The map after one round of looking around; `told` is each image's own, if anything."""
        size = features.shape[2:]
        normal = strips.normal(features, self.groups, eps=1e-6)
        tokens = self.inward(normal.permute(0, 2, 3, 1).flatten(1, 2))  # batch space channel
        tokens = self._together(tokens)
        tokens = self._seen(_normal(tokens)) + tokens
        tokens = self._read(tokens, told) + tokens
        tokens = self.feed_forward(_normal(tokens)) + tokens
        tokens = self._apart(self.outward(tokens))
        return tokens.unflatten(1, size).permute(0, 3, 1, 2) + features

    def _seen(self, tokens: TokensOfImage) -> TokensOfImage:
        if self.joint:
            return self.attention(tokens)
        return self._together(self.attention(self._apart(tokens)))

    def _read(
        self, tokens: TokensOfImage, told: Told | None
    ) -> Float[Tensor, "image one_or_spaces channel"]:
        if self.prompt is None:
            assert told is not None
            return told[:, None]
        normal = _normal(tokens)
        return self.prompt(normal) if told is None else self.prompt(normal, told)

    def _together(self, tokens: Tokens) -> TokensOfImage:
        """The tokens of an image's maps in a row."""
        return tokens if self.halves == 1 else tokens.unflatten(0, (-1, self.halves)).flatten(1, 2)

    def _apart(self, tokens: TokensOfImage) -> Tokens:
        """The tokens of each map by itself."""
        return tokens if self.halves == 1 else tokens.unflatten(1, (self.halves, -1)).flatten(0, 1)


class PixelAttention(nn.Module):
    """Single-head attention over all pixels of a map."""

    def __init__(self, channels: int, *, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.attention = SelfAttention(channels, heads=1, bias=True)

    def forward(self, features: Features) -> Features:
        """The map after every pixel has seen every other."""
        size = features.shape[2:]
        normal = strips.normal(features, self.groups, eps=1e-6)
        tokens = self.attention(normal.permute(0, 2, 3, 1).flatten(1, 2))
        return tokens.unflatten(1, size).permute(0, 3, 1, 2) + features


def _normal(tokens: Tokens) -> Tokens:
    return F.layer_norm(tokens, tokens.shape[2:])


def _at_once(strip: int, each: int) -> int:
    """How many tokens to do at once, when one of them makes `each` bytes; 0: all of them."""
    return max(4 * strip // each, 64) if strip and stream.is_free() else 0


def _split(tokens: Tensor, at_once: int, axis: int) -> tuple[Tensor, ...]:
    return tokens.split(at_once, axis) if at_once else (tokens,)
