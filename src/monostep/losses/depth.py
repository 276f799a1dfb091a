"""Scale-and-shift-invariant L1 distance of depth maps."""

from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry import alignment, masked

Unit: TypeAlias = Literal["metre", "image", "relative"]
Map: TypeAlias = Float[Tensor, "batch height width"]
LOW, HIGH = 0.02, 0.98  # quantiles that Marigold's target lies between


def quantiles(depth: Map, weight: Map) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """The 2 % and 98 % quantiles over the pixels with weight of each image; nan where none has."""
    counted = torch.where(weight > 0, depth.float(), torch.nan).flatten(1)
    levels = counted.new_tensor([LOW, HIGH])
    # Image by image: torch refuses to sort more than 16 million numbers at once.
    low, high = torch.stack([torch.nanquantile(row, levels) for row in counted], dim=1)
    return low, high


def clipped(depth: Map, weight: Map) -> tuple[Map, Map]:
    """Depth clamped to its 2 % and 98 % quantiles, and what is left of the weight.

    Nothing is left of an image without extent, whose quantiles are equal. Source: the truth that
    E2E-FT's loss is computed with.
    """
    low, high = (level[:, None, None] for level in quantiles(depth, weight))
    extends = high > low  # false for nan, too
    depth = torch.where(extends, torch.minimum(torch.maximum(depth, low), high), depth)
    return depth, torch.where(extends, weight, torch.zeros_like(weight))


def normalised(depth: Map, weight: Map) -> Map:
    """Depth with the 2 % and 98 % quantiles of each image at -1 and 1, clamped there.

    Only pixels with weight count; the others are 0. Source: Marigold's training target.
    """
    low, high = (level[:, None, None] for level in quantiles(depth, weight))
    target = (2 * (depth.float() - low) / (high - low).clamp_min(1e-6) - 1).clamp(-1, 1)
    return masked.kept(target, weight)


def normalised_l1(predicted: Map, truth: Map, weight: Map) -> Float[Tensor, " batch"]:
    """Mean distance of a map in [-1, 1] from the normalised truth of each image.

    Unlike the affine-invariant loss it knows which end is near, and its slope does not vanish
    where prediction and truth are uncorrelated: what a network without a prior has to learn first.
    """
    predicted = masked.kept(predicted.float(), weight)
    return masked.mean((predicted - normalised(truth, weight)).abs(), weight)


def aligned_residual(predicted: Map, truth: Map, weight: Map, *, unit: Unit = "metre") -> Map:
    """What is left of scale * predicted + shift - truth after least squares in each image.

    0 off weight. In the truth's own unit (`metre`, the paper's choice); in units of the truth's
    mean absolute deviation (`image`), which weighs a desk and a street alike; or of each pixel's
    own truth (`relative`), which makes its mean the AbsRel of the evaluation.
    Source: the loss of E2E-FT (Garcia et al., WACV 2025, section 4), in float32 on centred values.
    """
    predicted = masked.kept(predicted.float(), weight)
    truth = masked.kept(truth.float(), weight)
    residual = alignment.fit(predicted, truth, weight).apply(predicted) - truth
    match unit:
        case "metre":
            size = torch.ones_like(truth)
        case "image":
            deviation = masked.mean(alignment.centred(truth, weight).abs(), weight)
            size = deviation[:, None, None].expand_as(truth)
        case "relative":
            size = truth
    return masked.kept(residual / torch.where(size > 0, size, torch.ones_like(size)), weight)


def affine_invariant_l1(
    predicted: Map, truth: Map, weight: Map, *, unit: Unit = "metre"
) -> Float[Tensor, " batch"]:
    """Mean |scale * predicted + shift - truth| of each image, in a unit of `aligned_residual`.

    0 where no pixel has weight.
    """
    return masked.mean(aligned_residual(predicted, truth, weight, unit=unit).abs(), weight)
