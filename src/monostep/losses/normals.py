"""Angle between predicted and true surface normals."""

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry import masked


def angle(
    predicted: Float[Tensor, "batch 3 height width"],
    truth: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, "batch height width"]:
    """Angle in radians at every pixel, in [0, pi].

    atan2 instead of acos: acos has an infinite slope where the two agree, so a single perfect
    pixel would turn every gradient of the step into NaN.
    """
    predicted, truth = predicted.float(), truth.float()
    sine = torch.linalg.cross(predicted, truth, dim=1).square().sum(dim=1)
    cosine = (predicted * truth).sum(dim=1)
    # The floor keeps the square root's slope finite; it is 1e-6 rad at perfect agreement.
    return torch.atan2((sine + 1e-12).sqrt(), cosine)


def angular(
    predicted: Float[Tensor, "batch 3 height width"],
    truth: Float[Tensor, "batch 3 height width"],
    weight: Float[Tensor, "batch height width"],
) -> Float[Tensor, " batch"]:
    """Mean angle in radians of each image; 0 where no pixel has weight."""
    counted = weight[:, None] > 0
    predicted, truth = torch.where(counted, predicted, 0), torch.where(counted, truth, 0)
    return masked.mean(angle(predicted, truth), weight)
