"""Attention, and the transformer that sits between residual blocks."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.network.norm import GroupNorm


class Attention(nn.Module):
    """Multi-head attention from tokens to a context (to themselves when none is given).

    With `joint` the batch is two halves, the same images twice, and the tokens of an image in both
    are one sequence: each half reads from the keys and values of both. Source: GeoWizard (Fu et
    al., ECCV 2024), its cross-domain attention.
    """

    def __init__(
        self,
        channels: int,
        *,
        heads: int,
        context: int | None = None,
        bias: bool = False,
        joint: bool = False,
    ) -> None:
        super().__init__()
        context = channels if context is None else context
        self.heads = heads
        self.joint = joint
        self.to_q = nn.Linear(channels, channels, bias=bias)
        self.to_k = nn.Linear(context, channels, bias=bias)
        self.to_v = nn.Linear(context, channels, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(
        self,
        tokens: Float[Tensor, "batch space channel"],
        context: Float[Tensor, "batch token width"] | None = None,
    ) -> Float[Tensor, "batch space channel"]:
        """What each token reads from the context."""
        tokens = side_by_side(tokens) if self.joint else tokens
        context = tokens if context is None else context
        query, key, value = (
            projected.unflatten(2, (self.heads, -1)).transpose(1, 2)  # batch head token channel
            for projected in (self.to_q(tokens), self.to_k(context), self.to_v(context))
        )
        read = attend(query, key, value)
        read = self.to_out[0](read.transpose(1, 2).flatten(2))  # batch space channel
        return in_halves(read) if self.joint else read


def attend(
    query: Float[Tensor, "batch head space channel"],
    key: Float[Tensor, "batch head token channel"],
    value: Float[Tensor, "batch head token channel"],
) -> Float[Tensor, "batch head space channel"]:
    """Softmax attention; on a CPU in float32 where it will be differentiated.

    torch's backward pass of it in bfloat16 is two to ten times slower there (torch 2.13).
    """
    halves = query.dtype in (torch.bfloat16, torch.float16)
    if query.device.type != "cpu" or not halves or not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(query, key, value)
    with torch.autocast("cpu", enabled=False):
        read = F.scaled_dot_product_attention(query.float(), key.float(), value.float())
    return read.to(query.dtype)


def side_by_side(
    tokens: Float[Tensor, "batch space channel"],
) -> Float[Tensor, "batch//2 2*space channel"]:
    """The tokens of an image in the first half of a batch, then those of it in the second.

    Raises:
        ValueError: an odd batch, which has no halves.
    """
    if len(tokens) % 2:
        raise ValueError(f"joint attention of a batch of {len(tokens)}: expected two equal halves")
    return tokens.unflatten(0, (2, -1)).transpose(0, 1).flatten(1, 2)


def in_halves(
    tokens: Float[Tensor, "batch space channel"],
) -> Float[Tensor, "2*batch space//2 channel"]:
    """Undo `side_by_side`."""
    return tokens.unflatten(1, (2, -1)).transpose(0, 1).flatten(0, 1)


class GatedProjection(nn.Module):
    """A linear map whose output is gated by the GELU of another."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(channels, 2 * inner)

    def forward(self, tokens: Float[Tensor, "*any channel"]) -> Float[Tensor, "*any inner"]:
        """Value times GELU of gate."""
        value, gate = self.proj(tokens).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """Gated two-layer perceptron, four times as wide inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        # The index 1 of diffusers' list is a dropout without parameters.
        self.net = nn.ModuleList(
            [
                GatedProjection(channels, 4 * channels),
                nn.Identity(),
                nn.Linear(4 * channels, channels),
            ]
        )

    def forward(self, tokens: Float[Tensor, "*any channel"]) -> Float[Tensor, "*any channel"]:
        """The perceptron's output for every token."""
        for layer in self.net:
            tokens = layer(tokens)
        return tokens


class TransformerBlock(nn.Module):
    """Self-attention, attention to the prompt, feed-forward, each with a residual."""

    def __init__(self, channels: int, *, heads: int, context: int, joint: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn1 = Attention(channels, heads=heads, joint=joint)
        self.norm2 = nn.LayerNorm(channels)
        self.attn2 = Attention(channels, heads=heads, context=context)
        self.norm3 = nn.LayerNorm(channels)
        self.ff = FeedForward(channels)

    def forward(
        self,
        tokens: Float[Tensor, "batch space channel"],
        context: Float[Tensor, "batch token width"],
    ) -> Float[Tensor, "batch space channel"]:
        """The tokens after one round of looking around."""
        tokens = self.attn1(self.norm1(tokens)) + tokens
        tokens = self.attn2(self.norm2(tokens), context) + tokens
        return self.ff(self.norm3(tokens)) + tokens


class SpatialTransformer(nn.Module):
    """A transformer block on the pixels of a feature map, with a residual around it."""

    def __init__(
        self, channels: int, *, heads: int, context: int, groups: int, joint: bool = False
    ) -> None:
        super().__init__()
        self.norm = GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels)
        self.transformer_blocks = nn.ModuleList(
            [TransformerBlock(channels, heads=heads, context=context, joint=joint)]
        )
        self.proj_out = nn.Linear(channels, channels)

    def forward(
        self,
        features: Float[Tensor, "batch channel height width"],
        context: Float[Tensor, "batch token width_of_context"],
    ) -> Float[Tensor, "batch channel height width"]:
        """The feature map after attention over all its pixels and the prompt."""
        size = features.shape[2:]
        tokens = self.norm(features).permute(0, 2, 3, 1).flatten(1, 2)  # batch space channel
        tokens = self.proj_in(tokens)
        for block in self.transformer_blocks:
            tokens = block(tokens, context)
        tokens = self.proj_out(tokens)
        # batch channel height width
        return tokens.unflatten(1, size).permute(0, 3, 1, 2).contiguous() + features


class PixelAttention(Attention):
    """The autoencoder's single-head attention over all pixels, with norm and residual."""

    def __init__(self, channels: int, *, groups: int) -> None:
        super().__init__(channels, heads=1, bias=True)
        self.group_norm = GroupNorm(groups, channels, eps=1e-6)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, features: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        """The feature map after attention over its pixels."""
        size = features.shape[2:]
        tokens = self.group_norm(features.flatten(2)).mT  # batch space channel
        return super().forward(tokens).mT.unflatten(2, size) + features


def timestep_embedding(time: Float[Tensor, " batch"], width: int) -> Float[Tensor, "batch width"]:
    """Cosines, then sines, of the timestep at geometrically spaced frequencies."""
    half = width // 2
    exponent = -torch.log(torch.tensor(10000.0)) / half
    frequency = torch.exp(exponent * torch.arange(half, dtype=torch.float32)).to(time.device)
    angle = time[:, None] * frequency[None, :]
    return torch.cat([angle.cos(), angle.sin()], dim=-1)
