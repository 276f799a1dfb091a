"""How well depth edges are met: precision, recall and F1 of boundaries, and the errors near them.

Two neighbouring pixels i and j, beside or below each other, are an occlusion boundary of kind r
where depth(j) > r * depth(i): j lies behind i. A predicted boundary is right if the truth has one
of the same kind and direction between the same two pixels; there is no tolerance in place, and
nothing is thinned. So an edge that is one pixel off is both missed and false, and invented texture
is false. A blurred edge has false ones beside it, which lowers precision; it is missed as well only
where the blur leaves its own pair too flat. A step from 2 m to 10 m, five times the depth, is still
found: blurred a little it has full recall.

Precision, recall and F1 are counted over all pairs of an image for each of ten ratios r from 1.05
to 1.25, and averaged with weights that rise with r (proportional to it). Ratios at which the truth
has no boundary are left out. A prediction without any boundary where the truth has some has
precision 0, not none: else a blurred map would be excused.

Source: Bochkovskii et al., "Depth Pro: Sharp Monocular Metric Depth in Less Than a Second"
(ICLR 2025), section 3.2. Unlike there a pair counts only if both its pixels are valid: what lies
at the rim of a hole in the truth is no boundary and refutes none.
"""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from monostep.metrics.depth_edges import (
    RATIOS,
    edge_pixels,
    levels,
    limits,
    near,
    pairs,
    steepness,
)

Map = Float[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]

NAMES = (
    "boundary_precision",
    "boundary_recall",
    "boundary_f1",
    "abs_rel_near_edges",
    "abs_rel_off_edges",
)
NEAR_PX = 3  # columns and rows from a true edge
_STRIP = 1 << 18  # pixels at once: what the processor's cache holds


def scores(depth_m: Map, truth_m: Map, valid: Mask) -> dict[str, float]:
    """Boundary precision, recall and F1, and AbsRel near true edges and off them.

    Near are the valid pixels at most `NEAR_PX` columns and rows from a pixel of a true boundary of
    the weakest kind; off are all other valid ones. The memory taken does not grow with the image.

    Args:
        depth_m: prediction after alignment, finite and above 0.
        truth_m: depth in the same unit, above 0 where it is valid.
        valid: which pixels are judged; elsewhere both maps may hold anything.

    Returns:
        A value for each of `NAMES`. It is nan, and means over images must leave this image out of
        this metric, where there is nothing to count: for boundaries and errors near edges where
        the truth has no boundary, for errors off edges where no valid pixel lies off them.
    """
    found = _boundaries(depth_m, truth_m, valid)
    errors = _errors(depth_m, truth_m, valid)
    return dict(zip(NAMES, (*found, *errors), strict=True))


def _boundaries(depth_m: Map, truth_m: Map, valid: Mask) -> tuple[float, float, float]:
    counts = torch.zeros(3, len(RATIOS) + 1, dtype=torch.int64, device=truth_m.device)
    for top, bottom in _strips(truth_m):
        for axis, last in ((0, bottom + 1), (1, bottom)):  # a pair below needs one row more
            counts += _pair_counts(depth_m[top:last], truth_m[top:last], valid[top:last], axis)
    # Pairs that exceed at least so many ratios.
    true, predicted, common = counts.flip(1).cumsum(1).flip(1)[:, 1:].double()
    some = true > 0
    if not some.any():
        return math.nan, math.nan, math.nan
    weight = torch.tensor(RATIOS, dtype=torch.float64, device=true.device) * some
    weight /= weight.sum()
    precision = common / predicted.clamp_min(1)
    recall = common / true.clamp_min(1)
    f1 = 2 * common / (true + predicted).clamp_min(1)
    each = (weight * torch.stack((precision, recall, f1))).sum(dim=1).tolist()
    return each[0], each[1], each[2]


def _pair_counts(depth_m: Map, truth_m: Map, valid: Mask, axis: int) -> Int[Tensor, "3 level"]:
    """Of all pairs along an axis: those of each level in truth, prediction, and in both alike."""
    known = torch.logical_and(*pairs(valid, axis))
    of_truth, of_prediction = steepness(truth_m, axis), steepness(depth_m, axis)
    least = limits(truth_m)[0]
    seen = known & ((of_truth > least) | (of_prediction > least.to(depth_m.dtype)))
    chosen = seen.flatten().nonzero()[:, 0]  # few: the rest is an edge to nobody
    true, predicted = levels(of_truth.take(chosen)), levels(of_prediction.take(chosen))
    same_way = (_falls(truth_m, axis) == _falls(depth_m, axis)).take(chosen)
    common = torch.minimum(true, predicted) * same_way
    size = len(RATIOS) + 1
    return torch.stack([each.bincount(minlength=size) for each in (true, predicted, common)])


def _falls(depth_m: Map, axis: int) -> Bool[Tensor, "rows columns"]:
    return torch.gt(*pairs(depth_m, axis))


def _errors(depth_m: Map, truth_m: Map, valid: Mask) -> tuple[float, float]:
    total = torch.zeros(2, dtype=torch.float64, device=truth_m.device)
    count = torch.zeros(2, dtype=torch.int64, device=truth_m.device)
    for top, bottom in _strips(truth_m):
        around = slice(max(0, top - NEAR_PX - 1), bottom + NEAR_PX + 1)
        edges = near(edge_pixels(truth_m[around], valid[around]), NEAR_PX)
        edges = edges[top - around.start :][: bottom - top]
        judged, truth = valid[top:bottom], truth_m[top:bottom]
        error = torch.where(judged, (depth_m[top:bottom] - truth).abs() / truth, 0)
        for kind, where in enumerate((judged & edges, judged & ~edges)):
            total[kind] += torch.where(where, error, 0).sum(dtype=torch.float64)
            count[kind] += where.sum()
    means = torch.where(count > 0, total / count, math.nan).tolist()
    return means[0], means[1]


def _strips(values: Map) -> Iterator[tuple[int, int]]:
    """First row and end of each strip."""
    height, width = values.shape
    rows = max(1, _STRIP // max(1, width))
    for top in range(0, height, rows):
        yield top, min(top + rows, height)
