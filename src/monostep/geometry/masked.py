"""Means over the pixels that count, one value per image."""

import torch
from jaxtyping import Float
from torch import Tensor

Weight = Float[Tensor, "batch height width"]


def mean(values: Float[Tensor, "batch height width"], weight: Weight) -> Float[Tensor, " batch"]:
    """Weighted mean of each image; 0, with zero gradient, where no pixel has weight."""
    total = weight.sum(dim=(1, 2))
    # Where the weight is 0 the value may be anything, so it must not meet the sum even as 0 * nan.
    counted = torch.where(weight > 0, values, torch.zeros_like(values)) * weight
    return counted.sum(dim=(1, 2)) / torch.where(total > 0, total, torch.ones_like(total))
