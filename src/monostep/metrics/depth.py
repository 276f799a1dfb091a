"""Errors of affine depth after least-squares alignment with the truth."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.geometry import alignment, masked

Map = Float[Tensor, "batch height width"]
PerImage = Float[Tensor, " batch"]


def aligned(
    predicted: Map, truth_m: Map, valid: Bool[Tensor, "batch height width"], *, least_m: float
) -> Map:
    """The prediction in metres, with the truth's scale and shift, at least `least_m`."""
    affine = alignment.fit(predicted.double(), truth_m.double(), valid.double())
    return affine.apply(predicted.double()).clamp_min(least_m).to(predicted.dtype)


def abs_rel(depth_m: Map, truth_m: Map, valid: Bool[Tensor, "batch height width"]) -> PerImage:
    """Mean |d - d*| / d* over the valid pixels of each image."""
    safe = torch.where(valid, truth_m, torch.ones_like(truth_m))
    return masked.mean((depth_m - safe).abs() / safe, valid.to(depth_m.dtype))


def delta1(depth_m: Map, truth_m: Map, valid: Bool[Tensor, "batch height width"]) -> PerImage:
    """Share of valid pixels with max(d / d*, d* / d) < 1.25."""
    safe = torch.where(valid, truth_m, torch.ones_like(truth_m))
    ratio = torch.maximum(depth_m / safe, safe / depth_m)
    return masked.mean((ratio < 1.25).to(depth_m.dtype), valid.to(depth_m.dtype))
