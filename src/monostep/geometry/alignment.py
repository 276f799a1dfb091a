"""Scale and shift that bring an affine map closest to the truth, in the least-squares sense."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry import masked

Map = Float[Tensor, "batch height width"]


@dataclass(frozen=True, kw_only=True)
class Affine:
    """One scale and one shift per image: aligned = scale * map + shift."""

    scale: Float[Tensor, " batch"]
    shift: Float[Tensor, " batch"]

    def apply(self, values: Map) -> Map:
        """The map on the truth's scale."""
        return self.scale[:, None, None] * values + self.shift[:, None, None]


def centred(values: Map, weight: Map) -> Map:
    """The map minus its mean over the weighted pixels of each image."""
    return values - masked.mean(values, weight)[:, None, None]


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Weighted means over each image: all that its least-squares fit depends on."""

    values: Float[Tensor, " batch"]
    truth: Float[Tensor, " batch"]
    square: Float[Tensor, " batch"]  # of the values
    variance: Float[Tensor, " batch"]  # of the values
    covariance: Float[Tensor, " batch"]  # of values and truth


def fit(values: Map, truth: Map, weight: Map) -> Affine:
    """The least-squares scale and shift of `values` on `truth`; scale 0 for a constant map.

    On centred values the normal equations are one division, and a nearly constant map keeps its
    digits: the uncentred determinant is rounding noise there in float32.
    """
    spread = centred(values, weight)
    return solve(
        Moments(
            values=masked.mean(values, weight),
            truth=masked.mean(truth, weight),
            square=masked.mean(values.detach().square(), weight),
            variance=masked.mean(spread.square(), weight),
            covariance=masked.mean(spread * centred(truth, weight), weight),
        )
    )


def solve(moments: Moments) -> Affine:
    """The least-squares scale and shift from what is known of values and truth."""
    precision = torch.finfo(moments.variance.dtype)
    # Below the rounding error of the mean itself there is no variation to scale.
    floor = precision.eps**2 * moments.square + precision.tiny
    varies = moments.variance > 4 * floor
    scale = torch.where(varies, moments.covariance, 0) / torch.where(varies, moments.variance, 1)
    return Affine(scale=scale, shift=moments.truth - scale * moments.values)
