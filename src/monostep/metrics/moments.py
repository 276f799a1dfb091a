"""Means, variance and covariance of two maps, from those of their parts.

Every part is centred on its own mean first, so nothing cancels where a map hardly varies. Source:
Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance" (1983), equation 2.1.
"""

import torch
from jaxtyping import Float64
from torch import Tensor

from monostep.geometry.alignment import Moments
from monostep.metrics.judged_pixels import inner

Pixels = Float64[Tensor, " pixel"]


def part(values: Pixels, truth: Pixels) -> Float64[Tensor, "5"]:
    """What `pooled` needs to know of one or more pixels."""
    x, y = values.numpy(), truth.numpy()
    mean, mean_truth = x.mean(), y.mean()
    spread = x - mean
    sums = len(x), mean, mean_truth, inner(spread, spread), inner(spread, y - mean_truth)
    return torch.tensor(sums, dtype=torch.float64)


def weighted_part(values: Pixels, truth: Pixels, weight: Pixels) -> Float64[Tensor, "5"]:
    """The same with weights, of which all may be 0."""
    x, y, w = values.numpy(), truth.numpy(), weight.numpy()
    total = w.sum()
    mean, mean_truth = (inner(w, each) / (total or 1.0) for each in (x, y))
    spread = x - mean
    weighted = w * spread
    sums = total, mean, mean_truth, inner(weighted, spread), inner(weighted, y - mean_truth)
    return torch.tensor(sums, dtype=torch.float64)


def pooled(parts: Float64[Tensor, "part 5"]) -> Moments:
    """Moments of all pixels, from one row for each part, of which one or more have weight."""
    weight, mean, mean_truth, within, within_both = parts.unbind(dim=1)
    total = weight.sum()
    whole, whole_truth = (weight * mean).sum() / total, (weight * mean_truth).sum() / total
    between = weight * (mean - whole)
    variance = (within.sum() + (between * (mean - whole)).sum()) / total
    covariance = (within_both.sum() + (between * (mean_truth - whole_truth)).sum()) / total
    return Moments(
        values=whole[None],
        truth=whole_truth[None],
        square=(whole.square() + variance)[None],
        variance=variance[None],
        covariance=covariance[None],
    )
