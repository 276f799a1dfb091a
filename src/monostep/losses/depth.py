"""Scale-and-shift-invariant L1 distance of depth maps."""

from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry import alignment, masked

Unit: TypeAlias = Literal["metre", "image"]


def affine_invariant_l1(
    predicted: Float[Tensor, "batch height width"],
    truth: Float[Tensor, "batch height width"],
    weight: Float[Tensor, "batch height width"],
    *,
    unit: Unit = "metre",
) -> Float[Tensor, " batch"]:
    """Mean |scale * predicted + shift - truth| of each image, after least-squares alignment.

    In the truth's unit (`metre`, the paper's choice) or in units of the truth's own mean absolute
    deviation (`image`), which weighs a desk and a street alike. 0 where no pixel has weight.
    Source: the loss of E2E-FT (Garcia et al., WACV 2025, section 4), in float32 on centred values.
    """
    predicted, truth = predicted.float(), truth.float()
    residual = alignment.fit(predicted, truth, weight).apply(predicted) - truth
    loss = masked.mean(residual.abs(), weight)
    if unit == "metre":
        return loss
    deviation = masked.mean(alignment.centred(truth, weight).abs(), weight)
    return loss / torch.where(deviation > 0, deviation, torch.ones_like(deviation))
