"""Weights in 8 bits: a whole number from -127 to 127, times a scale for each output channel.

Only storage: each product gets its weight in the network's precision, made on the way.
"""

import torch

from monostep.feedforward.layers import Weighted
from monostep.feedforward.network import FeedForward, last_layer

_LEAST = 4096  # weights of a layer that are worth it
_LIMIT = 127


def quantise(network: FeedForward) -> FeedForward:
    """The network with the weights of its large layers in 8 bits, but for the decoder's last."""
    network.unpack()
    kept = set(last_layer(network).modules())
    for layer in network.modules():
        if isinstance(layer, Weighted) and layer not in kept:
            _quantise(layer)
    return network


def _quantise(layer: Weighted) -> None:
    weight = layer.plain().detach()
    if weight.numel() < _LEAST or layer.scale is not None:
        return
    others = [axis for axis in range(weight.ndim) if axis != layer.output_axis]
    scale = weight.abs().amax(others, keepdim=True).clamp_min(torch.finfo(weight.dtype).tiny)
    scale = scale / _LIMIT
    whole = (weight / scale).round().clamp(-_LIMIT, _LIMIT).to(torch.int8)
    layer.store(whole, scale)
