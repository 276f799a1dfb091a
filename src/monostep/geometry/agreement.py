"""What several predictions of one picture agree on, and how far.

    depth     z_k = (d_k - mean(d_k)) / mean|d_k - mean(d_k)|     in units of its own spread
              disagreement = mean_k |z_k - z|,    z = mean_k z_k
    normals   n = unit(mean_k n_k),   disagreement = mean_k angle(n_k, n)
    both      confidence = 1 / (1 + disagreement / tolerance)

The tolerance is the disagreement at which a pixel counts half. Both losses are mean absolute
errors, in which a pixel weighs best by the inverse of its expected error (Laplace noise). Of the
embedded models, on 48 validation scenes, the error doubles from where predictions agree best (the
lowest tenth of pixels) to a disagreement of 0.09 of the depth's spread, and of 3.6 degrees.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry import decode

DEPTH_TOLERANCE = 0.1  # of the mean absolute deviation of the image's depth
NORMALS_TOLERANCE = 4.0  # degrees


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreed:
    """One map from several, and the confidence of each pixel in [0, 1]."""

    values: Float[Tensor, "*channel height width"]
    confidence: Float[Tensor, "height width"]


def of_depth(looks: Float[Tensor, "look height width"]) -> Agreed:
    """The mean of affine depth maps, each brought to the same centre and spread.

    The result has their mean centre and spread. No look is preferred, and none can be turned
    round: where two contradict each other, they disagree.
    """
    centre = looks.mean(dim=(1, 2), keepdim=True)
    spread = (looks - centre).abs().mean(dim=(1, 2), keepdim=True)
    # Below the rounding error of the mean there is nothing but rounding to enlarge.
    varies = spread > 4 * torch.finfo(looks.dtype).eps * looks.abs().amax(dim=(1, 2), keepdim=True)
    same = torch.where(varies, looks - centre, 0) / torch.where(varies, spread, 1)
    agreed = same.mean(dim=0)
    disagreement = (same - agreed).abs().mean(dim=0)
    return Agreed(
        values=agreed * spread.mean() + centre.mean(),
        confidence=confidence(disagreement, tolerance=DEPTH_TOLERANCE),
    )


def of_normals(looks: Float[Tensor, "look 3 height width"]) -> Agreed:
    """The mean direction of unit normals."""
    agreed = decode.unit(looks.mean(dim=0, keepdim=True))
    # Of the chord: near 0 the arc cosine of float32 is blind to angles below 0.03 degrees.
    half_chord = (looks - agreed).norm(dim=1) / 2
    angle_deg = torch.rad2deg(2 * torch.asin(half_chord.clamp(max=1)))
    return Agreed(
        values=agreed[0],
        confidence=confidence(angle_deg.mean(dim=0), tolerance=NORMALS_TOLERANCE),
    )


def confidence(
    disagreement: Float[Tensor, "height width"], *, tolerance: float
) -> Float[Tensor, "height width"]:
    """1 where predictions are the same, 1/2 at the tolerance, towards 0 beyond."""
    return 1 / (1 + disagreement / tolerance)
