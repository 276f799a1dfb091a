"""Angular errors of surface normals."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.geometry import masked

Vectors = Float[Tensor, "batch 3 height width"]


def angle_deg(predicted: Vectors, truth: Vectors) -> Float[Tensor, "batch height width"]:
    """Angle in degrees at every pixel, computed in float64; 90 where a vector is zero."""
    predicted, truth = predicted.double(), truth.double()
    sine = torch.linalg.vector_norm(torch.linalg.cross(predicted, truth, dim=1), dim=1)
    cosine = (predicted * truth).sum(dim=1)
    angle = torch.rad2deg(torch.atan2(sine, cosine))
    return torch.where((sine == 0) & (cosine == 0), 90.0, angle).float()


def mean_angle_deg(
    predicted: Vectors, truth: Vectors, valid: Bool[Tensor, "batch height width"]
) -> Float[Tensor, " batch"]:
    """Mean angle in degrees over the valid pixels of each image."""
    return masked.mean(angle_deg(predicted, truth), valid.float())


def within(
    predicted: Vectors,
    truth: Vectors,
    valid: Bool[Tensor, "batch height width"],
    *,
    degrees: float,
) -> Float[Tensor, " batch"]:
    """Share of valid pixels whose angle is below `degrees`."""
    return masked.mean((angle_deg(predicted, truth) < degrees).float(), valid.float())
