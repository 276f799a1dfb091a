"""Alignment and metrics of an image as the published evaluation computes them.

numpy's least squares of a float32 system, and metrics of whole float32 maps, whose invalid pixels
are set to 0 afterwards. Source: Marigold's evaluation (Ke et al., CVPR 2024), as E2E-FT has it.
"""

import math

import numpy as np
import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from monostep.metrics import depth

Map = Float32[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]


def align(predicted: Map, truth_m: Map, valid: Mask, *, near_m: float) -> Map:
    """Metres of a map known up to scale and shift, at least `near_m`."""
    values = predicted.numpy()
    mask = valid.numpy()
    column = values[mask]
    system = np.stack((column, np.ones_like(column)), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(system, truth_m.numpy()[mask], rcond=None)
    return torch.from_numpy(np.clip(values * scale + shift, near_m, None))


def scores(depth_m: Map, truth_m: Map, valid: Mask) -> dict[str, float]:
    """The ten metrics, whole map by whole map."""
    pixels = valid.sum()

    def mean(values: Tensor) -> float:
        values = values.float()
        values[~valid] = 0
        return (values.sum() / pixels).item()

    def logarithmic() -> Map:
        return torch.log(depth_m) - torch.log(truth_m)

    def within(power: int) -> float:
        farther = torch.maximum(depth_m / truth_m, truth_m / depth_m)
        return mean(farther < depth.DELTA**power)

    square = mean(logarithmic() ** 2)
    found = (
        mean((depth_m - truth_m).abs() / truth_m),
        mean((depth_m - truth_m) ** 2 / truth_m),
        math.sqrt(mean((depth_m - truth_m) ** 2)),
        math.sqrt(square),
        mean((torch.log10(depth_m) - torch.log10(truth_m)).abs()),
        *(within(power) for power in (1, 2, 3)),
        math.sqrt(mean((1 / depth_m - 1 / truth_m) ** 2)),
        100 * math.sqrt(square - mean(logarithmic()) ** 2),
    )
    return dict(zip(depth.NAMES, found, strict=True))
