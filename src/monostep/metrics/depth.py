"""Errors of depth in metres: the ten numbers of the benchmarks, and AbsRel of a batch."""

import math
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from monostep.geometry import masked
from monostep.metrics.judged_pixels import inner, over_pixels

Map = Float[Tensor, "height width"]
Batch = Float[Tensor, "batch height width"]
Pixels = Float64[Tensor, " pixel"]
Numbers = TypeVar("Numbers", Tensor, np.ndarray)

NAMES = (
    "abs_rel",
    "sq_rel",
    "rmse_m",
    "rmse_log",
    "log10",
    "delta1",
    "delta2",
    "delta3",
    "i_rmse_per_m",
    "silog",
)
DELTA = 1.25  # delta1, delta2, delta3: max(d / g, g / d) below its first, second, third power


def scores(depth_m: Map, truth_m: Map, valid: Bool[Tensor, "height width"]) -> dict[str, float]:
    """The ten metrics of an image, in float64 over its valid pixels.

    With depth d, truth g in metres and e = ln d - ln g:

        abs_rel       mean |d - g| / g              sq_rel   mean (d - g)^2 / g, metres
        rmse_m        root mean (d - g)^2, metres   rmse_log root mean e^2
        log10         mean |e| / ln 10              deltaK   share with max(d / g, g / d) < 1.25^K
        i_rmse_per_m  root mean (1 / d - 1 / g)^2   silog    100 * standard deviation of e

    Args:
        depth_m: prediction after alignment, above 0.
        truth_m: truth, above 0 where it is valid.
        valid: which pixels are judged; elsewhere both maps may hold anything.

    Returns:
        A value for each of `NAMES`; nan where no pixel is valid.

    Source: Eigen et al. (NIPS 2014) for the first eight; the last two as KITTI's depth benchmark
    has them, but per metre. Marigold's evaluation computes the same in float32.
    """
    parts = over_pixels(_sums, (depth_m, truth_m), valid)
    if len(parts) == 0:
        return dict.fromkeys(NAMES, math.nan)
    return dict(zip(NAMES, _means(parts), strict=True))


def abs_rel(
    depth_m: Batch, truth_m: Batch, valid: Bool[Tensor, "batch height width"]
) -> Float[Tensor, " batch"]:
    """Mean |d - g| / g over the valid pixels of each image; 0 where none is."""
    safe = torch.where(valid, truth_m, torch.ones_like(truth_m))
    return masked.mean(_relative(depth_m, safe).abs(), valid.to(depth_m.dtype))


def _relative(depth: Numbers, truth: Numbers) -> Numbers:
    """Signed error as a share of the truth, of tensors or arrays."""
    return (depth - truth) / truth


def _sums(depth: Pixels, truth: Pixels) -> Float64[Tensor, "11"]:
    """Of some pixels; the logarithm's square about its own mean, so that silog cancels nothing."""
    d, g = depth.numpy(), truth.numpy()  # whose logarithm is twice as fast as torch's
    error, ratio = d - g, d / g
    relative = _relative(d, g)
    inverse = relative / d  # 1 / g - 1 / d
    farther = np.maximum(ratio, g / d)
    logarithm = np.log(ratio)
    spread = logarithm - logarithm.mean()
    sums = (
        len(d),
        np.abs(relative).sum(),
        inner(relative, error),
        inner(error, error),
        np.abs(logarithm).sum() / math.log(10),
        *(np.count_nonzero(farther < DELTA**power) for power in (1, 2, 3)),
        inner(inverse, inverse),
        logarithm.sum(),
        inner(spread, spread),
    )
    return torch.tensor(sums, dtype=torch.float64)


def _means(parts: Float64[Tensor, "part 11"]) -> list[float]:
    counts, logs = parts[:, 0], parts[:, 9]
    means = parts.sum(dim=0) / counts.sum()
    abs_rel, sq_rel, square, log10, delta1, delta2, delta3, inverse, log, within = means[1:]
    # The square about the mean of all: about each part's own, and between the parts.
    variance = within + (counts * (logs / counts - log).square()).sum() / counts.sum()
    roots = torch.stack((square, variance + log.square(), inverse, variance)).sqrt()
    rmse, rmse_log, i_rmse, deviation = roots
    ordered = (abs_rel, sq_rel, rmse, rmse_log, log10, delta1, delta2, delta3, i_rmse)
    return torch.stack((*ordered, 100 * deviation)).tolist()
