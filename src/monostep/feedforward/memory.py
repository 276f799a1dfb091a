"""How much memory a pass through the folded network takes, and how to make it take less.

Counted from the shapes: weights, the maps that live together in the worst place, and the strips
they are worked on in. What a kernel takes for itself is covered by a margin.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from torch import nn

from monostep.errors import InputError, SettingError
from monostep.feedforward import codec_kl, codec_tiny
from monostep.feedforward.blocks import NormConv, Residual
from monostep.feedforward.double import Double
from monostep.feedforward.layers import Conv, Packed, Weighted
from monostep.feedforward.network import FeedForward
from monostep.feedforward.stream import WHOLE
from monostep.feedforward.unet import Layer, UNet

RUNTIME = 350 << 20  # bytes of the libraries on the CPU
MARGIN = 1.1  # kernels' own scratch
_FOR_WEIGHTS = 0.8  # of the memory, the libraries included; the rest is for maps
_WINDOWS = 6  # copies of a strip that live at once
_ATTENTION = 12  # maps that live in a transformer, in units of its own
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "K": 2**10, "M": 2**20, "G": 2**30}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_LARGEST = 8 << 20  # bytes of a strip on any device that needs them
_SMALLEST = 1 << 18  # bytes of a strip below which the rows' edges cost more than they save


def peak_bytes(network: FeedForward, size: tuple[int, int], images: int, strip: int) -> int:
    """About the most memory on the way of images of this padded (height, width).

    Args:
        network: folded, on any device.
        size: height and width in pixels.
        images: in one pass; of a joint network each has two maps, but for the encoder.
        strip: bytes of a map worked on together; 0: all of it.
    """
    area, factor = images * size[0] * size[1], network.multiple
    item = network.dtype.itemsize
    latent = network.unet.halves * (area // factor**2)
    parts = (
        _codec(network.encoder, area, item, strip),
        _codec(network.decoder, latent, item, strip),
        _unet(network.unet, latent, item),
        images * _image_encoder(network, item),
    )
    runtime = RUNTIME if network.time.device.type == "cpu" else 0
    return int(MARGIN * max(parts)) + weight_bytes(network) + runtime


def weight_bytes(network: nn.Module) -> int:
    """Bytes of all weights, packed or not; of those left in a file the largest, and its scratch."""
    held, largest = 0, 0
    for module in network.modules():
        held += sum(w.nbytes for w in module._parameters.values() if w is not None)
        held += sum(b.nbytes for b in module._buffers.values() if b is not None)
        held += module.packed_bytes if isinstance(module, Packed) else 0
        largest = max(largest, module.file_bytes if isinstance(module, Weighted) else 0)
    return held + 2 * largest


def to_leave(file: Path | None, limit: int) -> int:
    """How many bytes of a file's weights had better stay in it, for the process to take `limit`.

    What is left is slower, so no more than must be; all of it where not even half would fit.
    Weights that are made from a checkpoint (no file) have no such place.
    """
    if file is None:
        return 0
    size = file.stat().st_size
    excess = size - int(_FOR_WEIGHTS * limit - RUNTIME)
    return size if 2 * excess > size else max(excess, 0)


def strip_within(
    network: FeedForward, size: tuple[int, int], images: int, *, limit: int, most: int
) -> int:
    """The largest strip with which a pass stays within `limit` bytes.

    `most` is the device's usual one, which is tried first where that is the whole map.

    Raises:
        InputError: none does.
    """
    strips = [most] if most == WHOLE else []
    strips += [_LARGEST >> shift for shift in range((_LARGEST // _SMALLEST).bit_length())]
    for strip in strips:
        if peak_bytes(network, size, images, strip) <= limit:
            return strip
    least = peak_bytes(network, size, images, _SMALLEST)
    raise InputError(
        f"{size[0]}x{size[1]} takes about {least / 1e9:.2f} GB ({weight_bytes(network) / 1e9:.2f} "
        f"of them weights) and max memory is {limit / 1e9:.2f} GB; try a smaller resolution, dtype "
        "bf16, a file of `monostep fold`, whose weights can stay in it, or more memory"
    )


def _codec(codec: nn.Module, area: int, item: int, strip: int) -> int:
    """Bytes in the worst place of an encoder or decoder that begins with maps of this area."""
    worst = 0
    for layer in _layers(codec):
        inputs, outputs, after = _shape(layer, area)
        before, behind = inputs * area * item, outputs * after * item
        streams = strip != WHOLE and max(before, behind) > 2 * strip
        match layer:
            case Residual() | NormConv() if streams:
                taken = before + behind + _WINDOWS * strip
            case Residual():
                taken = 2 * before + 3 * behind
            case codec_kl.Middle():
                taken = _ATTENTION * before
            case codec_kl.Halve() if streams:
                taken = before + behind + _WINDOWS * strip
            case Double():
                taken = before + behind
            case _:
                taken = 2 * before + behind
        worst, area = max(worst, taken), after
    return worst


def _unet(unet: UNet, area: int, item: int) -> int:
    """Bytes in the worst place of the UNet: the skips so far, and one layer at work."""
    areas = [area // 4**level for level in range(len(unet.down))]
    skips = sum(
        _outputs(layer) * here * item
        for here, layers in zip(areas, unet.down, strict=True)
        for layer in _each(layers)
    )
    working = max(
        _outputs(layer) * here * item * _ATTENTION
        for here, layers in zip(reversed(areas), unet.up, strict=True)
        for layer in _each(layers)
    )
    return skips + working


def _image_encoder(network: FeedForward, item: int) -> int:
    """Bytes in the worst place of what looks at the whole picture: its tokens, and them wide."""
    of = network.dimensions.image_encoder
    if of is None:
        return 0
    return ((of.side // of.patch) ** 2 + 1) * (_ATTENTION * of.width + 2 * of.inner) * item


def _layers(codec: nn.Module) -> Iterable[nn.Module]:
    if isinstance(codec, codec_tiny.Encoder):
        return codec.layers
    if isinstance(codec, codec_tiny.Decoder):
        return [*codec.layers, codec.out]
    assert isinstance(codec, nn.Sequential)
    return codec


def _shape(layer: nn.Module, area: int) -> tuple[int, int, int]:
    """Channels before and after, and the area after."""
    match layer:
        case Residual():
            return layer.first.conv.inputs, layer.second.conv.outputs, area
        case NormConv():
            return layer.conv.inputs, layer.conv.outputs, area
        case Double():
            return layer.channels, layer.channels, 4 * area
        case codec_kl.Halve():
            return layer.conv.inputs, layer.conv.outputs, area // 4
        case Conv():
            return layer.inputs, layer.outputs, area // layer.stride**2
        case codec_kl.Middle():
            return _shape(layer[0], area)
        case codec_tiny.Block():
            return _shape(layer.convs[0], area)
        case _:
            return 0, 0, area


def _outputs(layer: nn.Module) -> int:
    assert isinstance(layer, Layer)
    return layer.residual.second.conv.outputs


def _each(layers: nn.Module) -> Iterable[nn.Module]:
    assert isinstance(layers, nn.ModuleList)
    return layers


def parse_bytes(text: str | None) -> int | None:
    """Bytes of "6GB", "500MB", "4GiB", a plain number; None of None, which is no limit.

    Raises:
        SettingError: anything else, or less than a byte.
    """
    if text is None:
        return None
    found = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None or (bytes := int(float(found[1]) * unit)) < 1:
        raise SettingError(f"max memory {text!r}: expected bytes, such as 6GB or 500MB")
    return bytes
