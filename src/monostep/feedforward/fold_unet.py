"""The folds of the UNet: clock, class, prompt, affine norms, input's halves, output's scale."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.diffusion.class_numbers import OF_BOTH, class_numbers
from monostep.feedforward.double import doubled_taps
from monostep.feedforward.unet import rows
from monostep.network.attention import (
    Attention,
    SpatialTransformer,
    TransformerBlock,
    timestep_embedding,
)
from monostep.network.blocks import ResidualBlock
from monostep.network.unet import Embedding, Stage, UNet

Named = Iterator[tuple[str, Tensor]]
Prompt = Float[Tensor, "token width"] | Float[Tensor, "domain token width"]
_ROWS = 1024  # of a product that are in float64 at once


def unet(source: UNet, prompt: Prompt | None, *, latent: int, gain: float) -> Named:
    """All weights of the folded UNet.

    Args:
        source: the network, which is used up.
        prompt: the one, or that of each domain; None: each image's token is given, and what
            transformers make of it is folded elsewhere (`fold_image_encoder`).
        latent: channels of the image's latent.
        gain: multiplies what the network says.
    """
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


def time_table(source: UNet, times: Sequence[int]) -> Float[Tensor, "time *rows total"]:
    """For each timestep the biases of all residual blocks' first convolutions, one after another.

    In float64. Of a network with classes there is a row for each domain and half (`unet.rows`).
    """
    sinusoids = timestep_embedding(torch.tensor(times).float(), source.config.channels[0])
    embedded = _embedded(sinusoids, source.time_embedding)
    if source.class_embedding is not None:
        domains, halves = rows(source.config)
        numbers = class_numbers(torch.arange(domains), source.config.classes or OF_BOTH)
        numbers = numbers.unflatten(0, (halves, domains)).transpose(0, 1)
        embedded = embedded[:, None, None] + _embedded(numbers, source.class_embedding)
    embedded = F.silu(embedded)
    blocks = [module for module in _in_order(source) if isinstance(module, ResidualBlock)]
    heard = []
    for block in blocks:
        assert block.time_emb_proj is not None and block.conv1.bias is not None
        heard.append(_linear(embedded, block.time_emb_proj) + block.conv1.bias.double())
    return torch.cat(heard, dim=-1)


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
    for part in torch.arange(len(weight)).split(_ROWS // 8):
        some = slice(int(part[0]), int(part[-1]) + 1)
        doubled[:, some] = doubled_taps(weight[some].double())
    yield f"{name}.weight", doubled
    if layer.bias is not None:
        yield f"{name}.bias", take(layer, "bias")


def attention(
    products: Sequence[nn.Linear], out: nn.Linear, name: str, before: nn.LayerNorm | nn.GroupNorm
) -> Named:
    """Self-attention with the affine part of the norm before it; one product for q, k and v."""
    parts = [_after_norm(part, before) for part in products]
    yield f"{name}.inward.weight", torch.cat([weight for weight, _ in parts])
    yield f"{name}.inward.bias", torch.cat([bias for _, bias in parts])
    yield from conv(out, f"{name}.outward")


def linear_after(
    layer: nn.Linear, name: str, before: nn.LayerNorm | nn.GroupNorm, *, factor: float = 1.0
) -> Named:
    """A product that takes the norm's affine part over, its output multiplied by `factor`."""
    weight, bias = _after_norm(layer, before)
    yield f"{name}.weight", weight if factor == 1 else weight.double() * factor
    yield f"{name}.bias", bias * factor


def take(layer: nn.Module, part: str) -> Tensor:
    """A weight of the source, which does not hold it any longer."""
    tensor = getattr(layer, part).detach()
    setattr(layer, part, None)
    return tensor


def _stage(stage: Stage, name: str, prompt: Prompt | None) -> Named:
    for index, block in enumerate(stage.resnets):
        yield from residual(block, f"{name}.{index}.residual")  # pyright: ignore
        if stage.has_attention:
            transformer = stage.attentions[index]
            yield from _transformer(transformer, f"{name}.{index}.transformer", prompt)  # pyright: ignore


def _transformer(source: SpatialTransformer, name: str, prompt: Prompt | None) -> Named:
    (block,) = source.transformer_blocks
    assert isinstance(block, TransformerBlock)
    yield from linear_after(source.proj_in, f"{name}.inward", source.norm)
    seen = block.attn1
    products, (out,) = (seen.to_q, seen.to_k, seen.to_v), seen.to_out
    yield from attention(products, out, f"{name}.attention", block.norm1)  # pyright: ignore
    if prompt is not None:
        yield from _prompt(block.attn2, f"{name}.prompt", block.norm2, prompt)
    inward, _, outward = block.ff.net
    yield from linear_after(inward.proj, f"{name}.feed_forward.inward", block.norm3)  # pyright: ignore
    yield from conv(outward, f"{name}.feed_forward.outward")  # pyright: ignore
    yield from conv(source.proj_out, f"{name}.outward")


def _prompt(layer: Attention, name: str, before: nn.LayerNorm, prompt: Prompt) -> Named:
    """Attention to the constant prompt, by its number of tokens; or to that of each domain."""
    heads = layer.heads
    query, query_bias = (part.double() for part in _after_norm(layer.to_q, before))
    key, value = (  # (domain) token head channel
        (prompt.double() @ take(part, "weight").double().T).unflatten(-1, (heads, -1))
        for part in (layer.to_k, layer.to_v)
    )
    out, out_bias = (take(layer.to_out[0], part).double() for part in ("weight", "bias"))
    if prompt.shape[:-1] == (1,):
        yield f"{name}.bias", out @ value.flatten() + out_bias
    elif prompt.shape[:-1] == (2,):
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
        yield f"{name}.key", key.transpose(-3, -2).contiguous()
        yield f"{name}.value", value.transpose(-3, -2).contiguous()
        yield f"{name}.outward.weight", out
        yield f"{name}.outward.bias", out_bias


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
    for part in torch.arange(len(weight)).split(_ROWS):
        exact = weight[part[0] : part[-1] + 1].double()
        bias[part] += exact @ shift
        scaled[part] = (exact * gain).to(scaled.dtype)
    return scaled, bias


def _at_least(weight: Tensor) -> torch.dtype:
    """Precision that a large weight is rounded to on the way."""
    return torch.promote_types(weight.dtype, torch.float32)


def _embedded(inputs: Tensor, layers: Embedding) -> Tensor:
    """The embedding in float64, of what the network makes in float32."""
    return _linear(F.silu(_linear(inputs.double(), layers.linear_1)), layers.linear_2)


def _linear(inputs: Tensor, layer: nn.Linear) -> Tensor:
    return F.linear(inputs, layer.weight.double(), layer.bias.double())


def _in_order(source: UNet) -> Iterator[nn.Module]:
    for part in (*source.down_blocks, source.mid_block, *source.up_blocks):
        yield from part.modules()
