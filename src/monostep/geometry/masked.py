"""Means over the pixels that count, one value per image."""

import torch
from jaxtyping import Float
from torch import Tensor

Values = Float[Tensor, "batch height width"]
Weight = Float[Tensor, "batch height width"]


def kept(values: Values, weight: Weight) -> Values:
    """The values where the weight is above 0, and 0 elsewhere, whatever stands there.

    A loss starts with this: an invalid pixel may hold nan, and what meets nan on the way forward
    meets it again on the way back, even where its share of the sum is 0.
    """
    return torch.where(weight > 0, values, torch.zeros_like(values))


def mean(values: Values, weight: Weight) -> Float[Tensor, " batch"]:
    """Weighted mean of each image; 0, with zero gradient, where no pixel has weight."""
    total = weight.sum(dim=(1, 2))
    counted = kept(values, weight) * weight
    return counted.sum(dim=(1, 2)) / torch.where(total > 0, total, torch.ones_like(total))
