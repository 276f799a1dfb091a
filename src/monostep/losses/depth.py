"""Scale-and-shift-invariant L1 distance of depth maps."""

from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry import alignment, masked

Unit: TypeAlias = Literal["metre", "image", "relative"]


def normalised(
    depth: Float[Tensor, "batch height width"], weight: Float[Tensor, "batch height width"]
) -> Float[Tensor, "batch height width"]:
    """Depth with the 2 % and 98 % quantiles of each image at -1 and 1, clamped there.

    Only pixels with weight count; the others are 0. Source: Marigold's training target.
    """
    counted = torch.where(weight > 0, depth.float(), torch.nan)
    quantiles = torch.nanquantile(counted.flatten(1), counted.new_tensor([0.02, 0.98]), dim=1)
    low, high = quantiles[:, :, None, None]
    target = (2 * (counted - low) / (high - low).clamp_min(1e-6) - 1).clamp(-1, 1)
    return masked.kept(target, weight)


def normalised_l1(
    predicted: Float[Tensor, "batch height width"],
    truth: Float[Tensor, "batch height width"],
    weight: Float[Tensor, "batch height width"],
) -> Float[Tensor, " batch"]:
    """Mean distance of a map in [-1, 1] from the normalised truth of each image.

    Unlike the affine-invariant loss it knows which end is near, and its slope does not vanish
    where prediction and truth are uncorrelated: what a network without a prior has to learn first.
    """
    predicted = masked.kept(predicted.float(), weight)
    return masked.mean((predicted - normalised(truth, weight)).abs(), weight)


def affine_invariant_l1(
    predicted: Float[Tensor, "batch height width"],
    truth: Float[Tensor, "batch height width"],
    weight: Float[Tensor, "batch height width"],
    *,
    unit: Unit = "metre",
) -> Float[Tensor, " batch"]:
    """Mean |scale * predicted + shift - truth| of each image, after least-squares alignment.

    In the truth's unit (`metre`, the paper's choice); in units of the truth's own mean absolute
    deviation (`image`), which weighs a desk and a street alike; or of each pixel's own depth
    (`relative`), which makes it the AbsRel of the evaluation. 0 where no pixel has weight.
    Source: the loss of E2E-FT (Garcia et al., WACV 2025, section 4), in float32 on centred values.
    """
    predicted = masked.kept(predicted.float(), weight)
    truth = masked.kept(truth.float(), weight)
    residual = alignment.fit(predicted, truth, weight).apply(predicted) - truth
    match unit:
        case "metre":
            return masked.mean(residual.abs(), weight)
        case "image":
            deviation = masked.mean(alignment.centred(truth, weight).abs(), weight)
            loss = masked.mean(residual.abs(), weight)
            return loss / torch.where(deviation > 0, deviation, torch.ones_like(deviation))
        case "relative":
            depth = torch.where(truth > 0, truth, torch.ones_like(truth))
            return masked.mean(residual.abs() / depth, weight)
