"""The folds of the autoencoders: scales, the moments that nobody reads, the mean over channels."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from monostep.feedforward.fold_unet import attention, conv, double, norm, residual, take
from monostep.network.attention import PixelAttention
from monostep.network.autoencoder_kl import AutoencoderKL, Level, Middle
from monostep.network.autoencoder_tiny import AutoencoderTiny, TinyBlock

Named = Iterator[tuple[str, Tensor]]


def kl(source: AutoencoderKL, *, mean: bool) -> Named:
    """Encoder and decoder of the KL family; `mean` makes one channel of the map's three."""
    scale, latent = source.config.scale, source.config.latent_channels
    encoder, decoder = source.encoder, source.decoder
    layers: list[tuple[str, nn.Module]] = [("conv", encoder.conv_in)]
    layers += _unrolled(encoder.down_blocks)
    layers += [("middle", encoder.mid_block), ("norm", encoder.conv_norm_out)]
    yield from _numbered(layers, "encoder")
    # The mean of the moments alone, through the 1x1 convolution, scaled: one convolution.
    last = f"encoder.{len(layers) - 1}.conv"
    quant = scale * take(source.quant_conv, "weight").double()[:latent, :, 0, 0]
    quant_bias = scale * take(source.quant_conv, "bias").double()[:latent]
    moments = take(encoder.conv_out, "weight").double()
    yield f"{last}.weight", torch.einsum("om,mirc->oirc", quant, moments)
    yield f"{last}.bias", quant @ take(encoder.conv_out, "bias").double() + quant_bias

    # Not folded into the next convolution, whose zero padding comes after this one's bias.
    yield "decoder.0.weight", take(source.post_quant_conv, "weight").double() / scale
    yield "decoder.0.bias", take(source.post_quant_conv, "bias")
    layers = [("conv", decoder.conv_in), ("middle", decoder.mid_block)]
    layers += _unrolled(decoder.up_blocks)
    layers.append(("norm", decoder.conv_norm_out))
    yield from _numbered(layers, "decoder", start=1)
    weight, bias = _map(decoder.conv_out, mean=mean)
    yield f"decoder.{len(layers)}.conv.weight", weight
    yield f"decoder.{len(layers)}.conv.bias", bias


def tiny(source: AutoencoderTiny, *, mean: bool) -> Named:
    """Encoder and decoder of the tiny family, likewise."""
    scale = source.config.scale
    *layers, last = source.encoder.layers
    for index, layer in enumerate(layers):
        yield from _tiny_layer(layer, f"encoder.layers.{index}")
    yield from conv(last, f"encoder.layers.{len(layers)}", gain=scale)  # pyright: ignore
    *layers, last = source.decoder.layers
    # An enlargement and the convolution after it are one layer.
    kept = [layer for layer in layers if not isinstance(layer, nn.Upsample)]
    for index, layer in enumerate(kept):
        name = f"decoder.layers.{index}"
        if isinstance(layer, nn.Conv2d) and index > 0:
            yield from double(layer, name)
        elif index == 0:
            assert isinstance(layer, nn.Conv2d)
            yield f"{name}.weight", 3 * take(layer, "weight").double()  # the limit's outer 3
            yield f"{name}.bias", take(layer, "bias")
        else:
            yield from _tiny_layer(layer, name)
    weight, bias = _map(last, mean=mean)  # pyright: ignore
    yield "decoder.out.weight", 2 * weight.double()
    yield "decoder.out.bias", 2 * bias.double() - 1


def _tiny_layer(layer: nn.Module, name: str) -> Named:
    if isinstance(layer, TinyBlock):
        for number, each in enumerate([*layer.conv][::2]):
            yield from conv(each, f"{name}.convs.{number}")  # pyright: ignore
    elif isinstance(layer, nn.Conv2d):
        yield f"{name}.weight", take(layer, "weight")
        if layer.bias is not None:
            yield f"{name}.bias", take(layer, "bias")


def _unrolled(levels: nn.ModuleList) -> list[tuple[str, nn.Module]]:
    """What each layer of the levels becomes, in order."""
    layers: list[tuple[str, nn.Module]] = []
    for level in levels:
        assert isinstance(level, Level)
        layers += [("residual", block) for block in level.resnets]
        if level.downsamplers is not None:
            layers.append(("halve", level.downsamplers[0].conv))  # pyright: ignore
        if level.upsamplers is not None:
            layers.append(("double", level.upsamplers[0].conv))  # pyright: ignore
    return layers


def _numbered(layers: list[tuple[str, nn.Module]], part: str, start: int = 0) -> Named:
    for index, (kind, layer) in enumerate(layers, start):
        name = f"{part}.{index}"
        match kind:
            case "conv":
                yield from conv(layer, name)  # pyright: ignore
            case "halve":
                yield from conv(layer, f"{name}.conv")  # pyright: ignore
            case "double":
                yield from double(layer, name)  # pyright: ignore
            case "residual":
                yield from residual(layer, name)  # pyright: ignore
            case "middle":
                yield from _middle(layer, name)  # pyright: ignore
            case "norm":
                yield from norm(layer, f"{name}.norm")  # pyright: ignore


def _middle(source: Middle, name: str) -> Named:
    first, second = source.resnets
    (pixels,) = source.attentions
    assert isinstance(pixels, PixelAttention)
    yield from residual(first, f"{name}.0")  # pyright: ignore
    products, (out,) = (pixels.to_q, pixels.to_k, pixels.to_v), pixels.to_out
    yield from attention(products, out, f"{name}.1.attention", pixels.group_norm)  # pyright: ignore
    yield from residual(second, f"{name}.2")  # pyright: ignore


def _map(last: nn.Conv2d, *, mean: bool) -> tuple[Tensor, Tensor]:
    """The last convolution, for depth to the mean of its channels."""
    weight, bias = take(last, "weight"), take(last, "bias")
    if not mean:
        return weight, bias
    return weight.double().mean(0, keepdim=True), bias.double().mean(0, keepdim=True)
