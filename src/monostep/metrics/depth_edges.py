"""Depth edges: neighbouring pixels of which one is clearly farther than the other."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Map = Float[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]

RATIOS = tuple(1.05 + 0.2 * step / 9 for step in range(10))
"""Farther over nearer depth that makes an edge, from the weakest kind (5 %) to the clearest."""


def pairs(values: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Both ends of every pair of neighbours: along columns (axis 0) or along rows (axis 1)."""
    length = values.shape[axis] - 1
    return values.narrow(axis, 0, length), values.narrow(axis, 1, length)


def steepness(depth_m: Map, axis: int) -> Float[Tensor, "rows columns"]:
    """Farther over nearer depth of every pair of neighbours, at least 1."""
    first, second = pairs(depth_m, axis)
    return torch.maximum(first, second) / torch.minimum(first, second)


def levels(steepness: Float[Tensor, " pair"]) -> Int[Tensor, " pair"]:
    """How many of the `RATIOS` each pair exceeds."""
    return torch.bucketize(steepness, limits(steepness))


def limits(like: Tensor) -> Float[Tensor, " ratio"]:
    """The `RATIOS` in the precision of another tensor, so that all comparisons agree."""
    return torch.tensor(RATIOS, dtype=like.dtype, device=like.device)


def edge_pixels(depth_m: Map, valid: Mask) -> Mask:
    """Both pixels of every edge, of the weakest kind or clearer, between valid pixels."""
    edges = torch.zeros_like(valid)
    for axis in (0, 1):
        known = torch.logical_and(*pairs(valid, axis))
        steep = known & (steepness(depth_m, axis) > limits(depth_m)[0])
        for end in pairs(edges, axis):
            end |= steep
    return edges


def near(mask: Mask, distance_px: int) -> Mask:
    """Where the mask is set at most `distance_px` columns and rows away."""
    for axis in (0, 1):
        spread = mask.clone()
        for shift in range(1, min(distance_px, mask.shape[axis] - 1) + 1):
            length = mask.shape[axis] - shift
            spread.narrow(axis, shift, length).logical_or_(mask.narrow(axis, 0, length))
            spread.narrow(axis, 0, length).logical_or_(mask.narrow(axis, shift, length))
        mask = spread
    return mask
