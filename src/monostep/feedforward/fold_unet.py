"""The folds of the UNet: clock, prompt, affine norms, the input's halves, the output's scale."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.feedforward.layers import doubled_taps
from monostep.network.attention import (
    Attention,
    SpatialTransformer,
    TransformerBlock,
    timestep_embedding,
)
from monostep.network.blocks import ResidualBlock
from monostep.network.unet import Stage, UNet

Named = Iterator[tuple[str, Tensor]]
_ROWS = 1024  # of a product that are in float64 at once


def unet(source: UNet, prompt: Float[Tensor, "token width"], *, latent: int, gain: float) -> Named:
    """All weights of the folded UNet; `gain` multiplies what it says."""
    # First of all what needs the most scratch, while little else is there yet.
    for level, up in enumerate(source.up_blocks):
        if up.upsamplers is not None:
            yield from double(up.upsamplers[0].conv, f"enlarge.{level}")  # pyright: ignore
    weight = take(source.conv_in, "weight")
    yield "image.weight", weight[:, :latent]
    if weight.shape[1] > latent:
        yield "noise.weight", weight[:, latent:]
    yield "image.bias", take(source.conv_in, "bias")
    for level, down in enumerate(source.down_blocks):
        yield from _stage(down, f"down.{level}", prompt)  # pyright: ignore
        if down.downsamplers is not None:
            yield from conv(down.downsamplers[0].conv, f"shrink.{level}")  # pyright: ignore
    middle = source.mid_block
    yield from residual(middle.resnets[0], "middle.0.residual")  # pyright: ignore
    yield from _transformer(middle.attentions[0], "middle.0.transformer", prompt)  # pyright: ignore
    yield from residual(middle.resnets[1], "middle.1.residual")  # pyright: ignore
    for level, up in enumerate(source.up_blocks):
        yield from _stage(up, f"up.{level}", prompt)  # pyright: ignore
    yield from norm(source.conv_norm_out, "out.norm")
    yield from conv(source.conv_out, "out.conv", gain=gain)


def time_table(source: UNet, times: Sequence[int]) -> Float[Tensor, "time total"]:
    """For each timestep the biases of all residual blocks' first convolutions, one after another.

    In float64. A class embedding, which GeoWizard adds to that of the
    time, would be added here.
    """
    sinusoids = timestep_embedding(torch.tensor(times).float(), source.config.channels[0])
    clock = source.time_embedding
    hidden = F.silu(_linear(sinusoids.double(), clock.linear_1))
    embedded = F.silu(_linear(hidden, clock.linear_2))
    blocks = [module for module in _in_order(source) if isinstance(module, ResidualBlock)]
    rows = []
    for block in blocks:
        assert block.time_emb_proj is not None and block.conv1.bias is not None
        rows.append(_linear(embedded, block.time_emb_proj) + block.conv1.bias.double())
    return torch.cat(rows, dim=1)


def residual(block: ResidualBlock, name: str) -> Named:
    """A residual block; where it hears the time, its first bias is in the table."""
    yield from norm(block.norm1, f"{name}.first.norm")
    yield f"{name}.first.conv.weight", take(block.conv1, "weight")
    if block.time_emb_proj is None:
        yield f"{name}.first.conv.bias", take(block.conv1, "bias")
    else:
        take(block.time_emb_proj, "weight")
    yield from norm(block.norm2, f"{name}.second.norm")
    yield from conv(block.conv2, f"{name}.second.conv")
    if block.conv_shortcut is not None:
        yield from conv(block.conv_shortcut, f"{name}.shortcut")


def norm(layer: nn.GroupNorm, name: str) -> Named:
    """A norm that keeps its affine part, since a SiLU follows."""
    yield f"{name}.weight", take(layer, "weight").clone()
    yield f"{name}.bias", take(layer, "bias").clone()


def conv(layer: nn.Conv2d | nn.Linear, name: str, *, gain: float = 1.0) -> Named:
    """A convolution or product, its output multiplied by `gain`."""
    for part in ("weight", "bias"):
        tensor = take(layer, part)
        yield f"{name}.{part}", tensor if gain == 1 else tensor.double() * gain


def double(layer: nn.Conv2d, name: str) -> Named:
    """An enlargement and the convolution after it."""
    weight = take(layer, "weight")
    doubled = torch.empty(weight.shape[1], weight.shape[0], 4, 4, dtype=_at_least(weight))
    for rows in torch.arange(len(weight)).split(_ROWS // 8):
        some = slice(int(rows[0]), int(rows[-1]) + 1)
        doubled[:, some] = doubled_taps(weight[some].double())
    yield f"{name}.weight", doubled
    if layer.bias is not None:
        yield f"{name}.bias", take(layer, "bias")


def attention(layer: Attention, name: str, before: nn.LayerNorm | nn.GroupNorm) -> Named:
    """Self-attention with the affine part of the norm before it; one product for q, k and v."""
    parts = [_after_norm(part, before) for part in (layer.to_q, layer.to_k, layer.to_v)]
    yield f"{name}.inward.weight", torch.cat([weight for weight, _ in parts])
    yield f"{name}.inward.bias", torch.cat([bias for _, bias in parts])
    yield from conv(layer.to_out[0], f"{name}.outward")  # pyright: ignore


def take(layer: nn.Module, part: str) -> Tensor:
    """A weight of the source, which does not hold it any longer."""
    tensor = getattr(layer, part).detach()
    setattr(layer, part, None)
    return tensor


def _stage(stage: Stage, name: str, prompt: Tensor) -> Named:
    for index, block in enumerate(stage.resnets):
        yield from residual(block, f"{name}.{index}.residual")  # pyright: ignore
        if stage.has_attention:
            transformer = stage.attentions[index]
            yield from _transformer(transformer, f"{name}.{index}.transformer", prompt)  # pyright: ignore


def _transformer(source: SpatialTransformer, name: str, prompt: Tensor) -> Named:
    (block,) = source.transformer_blocks
    assert isinstance(block, TransformerBlock)
    yield from _linear_after(source.proj_in, f"{name}.inward", source.norm)
    yield from attention(block.attn1, f"{name}.attention", block.norm1)
    yield from _prompt(block.attn2, f"{name}.prompt", block.norm2, prompt)
    inward, _, outward = block.ff.net
    yield from _linear_after(inward.proj, f"{name}.feed_forward.inward", block.norm3)  # pyright: ignore
    yield from conv(outward, f"{name}.feed_forward.outward")  # pyright: ignore
    yield from conv(source.proj_out, f"{name}.outward")


def _prompt(layer: Attention, name: str, before: nn.LayerNorm, prompt: Tensor) -> Named:
    """Attention to the constant prompt, by its number of tokens."""
    heads = layer.heads
    query, query_bias = (part.double() for part in _after_norm(layer.to_q, before))
    key = (prompt.double() @ take(layer.to_k, "weight").double().T).unflatten(1, (heads, -1))
    value = (prompt.double() @ take(layer.to_v, "weight").double().T).unflatten(1, (heads, -1))
    out, out_bias = (take(layer.to_out[0], part).double() for part in ("weight", "bias"))
    if len(prompt) == 1:
        yield f"{name}.bias", out @ value.flatten() + out_bias
    elif len(prompt) == 2:
        # softmax over two is a sigmoid of the difference: v0 + sigmoid(q (k1 - k0)) (v1 - v0)
        difference = (key[1] - key[0]) / key.shape[2] ** 0.5  # head channel
        by_head = query.unflatten(0, (heads, -1))  # head channel inner
        yield f"{name}.gate.weight", torch.einsum("hc,hci->hi", difference, by_head)
        yield f"{name}.gate.bias", (difference * query_bias.unflatten(0, (heads, -1))).sum(1)
        step = out.unflatten(1, (heads, -1)) * (value[1] - value[0])  # outer head channel
        yield f"{name}.towards.weight", step.sum(2)
        yield f"{name}.towards.bias", out @ value[0].flatten() + out_bias
    else:
        yield f"{name}.query.weight", query
        yield f"{name}.query.bias", query_bias
        yield f"{name}.key", key.transpose(0, 1).contiguous()
        yield f"{name}.value", value.transpose(0, 1).contiguous()
        yield f"{name}.outward.weight", out
        yield f"{name}.outward.bias", out_bias


def _linear_after(layer: nn.Linear, name: str, before: nn.LayerNorm | nn.GroupNorm) -> Named:
    weight, bias = _after_norm(layer, before)
    yield f"{name}.weight", weight
    yield f"{name}.bias", bias


def _after_norm(layer: nn.Linear, before: nn.LayerNorm | nn.GroupNorm) -> tuple[Tensor, Tensor]:
    """Weight and bias of a product that takes the norm's affine part over: W (g x + b) + c.

    The weight is rounded to float32 at once: in float64 the largest would take hundreds of MB.
    """
    weight = take(layer, "weight")
    gain, shift = before.weight.double(), before.bias.double()
    scaled = torch.empty(weight.shape, dtype=_at_least(weight))
    bias = torch.zeros(len(weight), dtype=torch.float64)
    if layer.bias is not None:
        bias += take(layer, "bias").double()
    for rows in torch.arange(len(weight)).split(_ROWS):
        exact = weight[rows[0] : rows[-1] + 1].double()
        bias[rows] += exact @ shift
        scaled[rows] = (exact * gain).to(scaled.dtype)
    return scaled, bias


def _at_least(weight: Tensor) -> torch.dtype:
    """Precision that a large weight is rounded to on the way."""
    return torch.promote_types(weight.dtype, torch.float32)


def _linear(inputs: Tensor, layer: nn.Linear) -> Tensor:
    return F.linear(inputs, layer.weight.double(), layer.bias.double())


def _in_order(source: UNet) -> Iterator[nn.Module]:
    for part in (*source.down_blocks, source.mid_block, *source.up_blocks):
        yield from part.modules()
