"""Angular errors of surface normals."""

import math

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.geometry import masked

Vectors = Float[Tensor, "batch 3 height width"]

WITHIN_DEG = (5, 7.5, 11.25, 22.5, 30)
NAMES = (
    "mean_angle_deg",
    "median_angle_deg",
    "rmse_angle_deg",
    *(f"within_{degrees:g}_deg" for degrees in WITHIN_DEG),
)
_STRIP = 1 << 16  # pixels at once: float64 takes much room


def angle_deg(predicted: Vectors, truth: Vectors) -> Float[Tensor, "batch height width"]:
    """Angle in degrees at every pixel, computed in float64; 90 where a vector is zero.

    Computed a few rows at a time: the memory beyond the result does not grow with the image.
    """
    rows = max(1, _STRIP // max(1, truth.shape[0] * truth.shape[3]))
    strips = zip(predicted.split(rows, dim=2), truth.split(rows, dim=2), strict=True)
    return torch.cat([_angle_deg(one, other) for one, other in strips], dim=1)


def _angle_deg(predicted: Vectors, truth: Vectors) -> Float[Tensor, "batch height width"]:
    # Component by component: torch's own cross product and norm take five times as long.
    (px, py, pz), (tx, ty, tz) = predicted.double().unbind(1), truth.double().unbind(1)
    x, y, z = py * tz - pz * ty, pz * tx - px * tz, px * ty - py * tx
    sine = (x * x + y * y + z * z).sqrt()
    cosine = px * tx + py * ty + pz * tz
    angle = torch.rad2deg(torch.atan2(sine, cosine))
    return torch.where((sine == 0) & (cosine == 0), 90.0, angle).float()


def scores(angle_deg: Float[Tensor, " pixel"]) -> dict[str, float]:
    """Mean, median and root mean square in degrees, and shares strictly below `WITHIN_DEG`.

    The protocols pool pixels differently, so this takes the angles of any set of pixels: of an
    image, or of many. Sums are in float64. A value for each of `NAMES`; nan of no pixel.
    """
    count = angle_deg.numel()
    if count == 0:
        return dict.fromkeys(NAMES, math.nan)
    total = squares = 0.0
    below = [0] * len(WITHIN_DEG)
    for part in angle_deg.split(_STRIP):
        exact = part.double()
        total += float(exact.sum())
        squares += float(exact.square().sum())
        for place, degrees in enumerate(WITHIN_DEG):
            below[place] += int((part < degrees).sum())
    means = (total / count, _median(angle_deg), math.sqrt(squares / count))
    return dict(zip(NAMES, (*means, *(each / count for each in below)), strict=True))


def _median(values: Float[Tensor, " pixel"]) -> float:
    """The middle value, or the mean of the two middle ones (torch's own takes the lower)."""
    middle = [(values.numel() - 1) // 2, values.numel() // 2]
    ordered = np.partition(values.detach().cpu().numpy(), middle)
    return float(ordered[middle].mean(dtype=np.float64))


def mean_angle_deg(
    predicted: Vectors, truth: Vectors, valid: Bool[Tensor, "batch height width"]
) -> Float[Tensor, " batch"]:
    """Mean angle in degrees over the valid pixels of each image."""
    return masked.mean(angle_deg(predicted, truth), valid.float())
