"""The folds of the image encoder: colours, affine norms, and the UNet's attention to one token.

W (picture - mean) / std    one convolution, and a constant at each place
W_o W_v e + b               one product for all blocks of the UNet: the softmax over one is 1
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from monostep.feedforward.fold_unet import attention, conv, linear_after, take
from monostep.network.attention import Attention, SpatialTransformer
from monostep.network.image_encoder import ImageEncoder, PatchEmbedding, TransformerBlock
from monostep.network.unet import UNet

Named = Iterator[tuple[str, Tensor]]
QUICK = 1.702  # of the sigmoid in CLIP's x sigmoid(1.702 x)


def image_encoder(source: ImageEncoder, unet: UNet) -> Named:
    """All weights of the folded image encoder; takes the UNet's attention to its vector, too."""
    vision, config = source.vision_model, source.config
    yield from _patches(vision.embeddings, config.mean, config.std)
    for part in ("weight", "bias"):
        yield f"norm.{part}", take(vision.pre_layrnorm, part)
    factor = QUICK if config.activation == "quick_gelu" else 1.0
    for index, block in enumerate(vision.encoder["layers"].children()):
        yield from _block(block, f"blocks.{index}", factor=factor)  # pyright: ignore
    yield from linear_after(source.visual_projection, "vector", vision.post_layernorm)
    weights, biases = zip(*(_read(layer) for layer in _attentions(unet)), strict=True)
    yield "told.weight", torch.cat(weights)
    yield "told.bias", torch.cat(biases)


def _attentions(source: UNet) -> Iterator[Attention]:
    """The attention to the prompt of all transformers, in the order of the way."""
    for stage in (*source.down_blocks, source.mid_block, *source.up_blocks):
        for module in stage.modules():
            if isinstance(module, SpatialTransformer):
                yield module.transformer_blocks[0].attn2  # pyright: ignore


def _read(layer: Attention) -> tuple[Tensor, Tensor]:
    """W_o W_v and b; what asks, and what is asked, has no say."""
    for unused in (layer.to_q, layer.to_k):
        take(unused, "weight")
    value = take(layer.to_v, "weight").double()
    out, bias = (take(layer.to_out[0], part).double() for part in ("weight", "bias"))
    return out @ value, bias


def _patches(source: PatchEmbedding, mean: tuple[float, ...], std: tuple[float, ...]) -> Named:
    centre, spread = (torch.tensor(colour, dtype=torch.float64) for colour in (mean, std))
    weight = take(source.patch_embedding, "weight").double() / spread[:, None, None]
    yield "patches.weight", weight
    places = take(source.position_embedding, "weight").double()
    first = take(source, "class_embedding").double() + places[:1]
    yield "places", torch.cat([first, places[1:] - torch.einsum("oirc,i->o", weight, centre)])


def _block(source: TransformerBlock, name: str, *, factor: float) -> Named:
    seen = source.self_attn
    products = (seen.q_proj, seen.k_proj, seen.v_proj)
    yield from attention(products, seen.out_proj, f"{name}.attention", source.layer_norm1)
    inward, outward = source.mlp.fc1, source.mlp.fc2
    yield from linear_after(inward, f"{name}.inward", source.layer_norm2, factor=factor)
    if factor == 1:
        yield from conv(outward, f"{name}.outward")
    else:
        yield f"{name}.outward.weight", take(outward, "weight").double() / factor
        yield f"{name}.outward.bias", take(outward, "bias")
