"""Scale and shift that most pixels agree on, whatever the others say.

Random sample consensus in log depth, as newer papers align (Pixel-Perfect Depth, Xu et al., NeurIPS
2025, after Prompt Depth Anything, Lin et al., CVPR 2025, with scikit-learn's RANSACRegressor: 1000
trials, pixels within the median absolute deviation of the truth's logarithm agree, least squares on
those that do). Here

1. `SAMPLED` valid pixels are drawn, and their truth's median absolute deviation taken in ln depth;
2. each of `TRIALS` pairs of them gives the scale and shift of the prediction's own quantity that
   make both right;
3. the pair wins with whose scale and shift the most drawn pixels lie within that deviation of the
   truth in ln depth, the first of equals;
4. least squares over all valid pixels that lie within it: of the quantity's error relative to the
   truth's, which to first order is the error in ln depth.

It differs from theirs in that the logarithm is that of depth, not of depth + 1 m; that all trials
are made; and that the same numbers are drawn every time.
"""

import math

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from monostep.geometry.alignment import solve
from monostep.geometry.depth import Quantity
from monostep.geometry.quantity import from_depth
from monostep.metrics import moments
from monostep.metrics.judged_pixels import over_pixels

Map = Float[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]
Pixels = Float64[Tensor, " pixel"]

TRIALS = 1000
SAMPLED = 1 << 14
LEAST_DEVIATION = 1e-3  # in ln depth: else nothing agrees where most of the truth is one depth
_AT_ONCE = 50  # trials
_SEED = 0


def fit(values: Map, truth_m: Map, valid: Mask, quantity: Quantity) -> tuple[float, float]:
    """Scale and shift of the map in its quantity.

    A map that is constant on the drawn pixels gets scale 0 and their truth's mean, in its quantity.

    Args:
        values: what was predicted.
        truth_m: depth in metres, above 0 where it is valid.
        valid: the pixels that count, one or more.
        quantity: what `values` are.
    """
    predicted, depth_m = _drawn(values, truth_m, valid)
    logarithm = depth_m.log()
    deviation = (logarithm - logarithm.median()).abs().median().item()
    agreement = max(deviation, LEAST_DEVIATION)
    best = _best(predicted, depth_m, quantity, agreement)
    if best is None:
        return 0.0, from_depth(depth_m, quantity).mean().item()
    scale, shift = best

    def part(predicted: Pixels, depth_m: Pixels) -> Float64[Tensor, "5"]:
        agrees = _agrees(scale * predicted + shift, depth_m, quantity, agreement)
        true = from_depth(depth_m, quantity)
        unit = torch.ones_like(true) if quantity == "log_depth" else true
        return moments.weighted_part(predicted, true, agrees / unit.square())

    affine = solve(moments.pooled(over_pixels(part, (values, truth_m), valid)))
    return affine.scale.item(), affine.shift.item()


def _drawn(values: Map, truth_m: Map, valid: Mask) -> tuple[Pixels, Pixels]:
    """All valid pixels of a small map, some of a large one."""
    places = valid.reshape(-1).nonzero()[:, 0]
    if len(places) > SAMPLED:
        chosen = torch.randint(len(places), (SAMPLED,), generator=_generator())
        places = places[chosen.to(places.device)]
    return values.reshape(-1)[places].double(), truth_m.reshape(-1)[places].double()


def _best(
    predicted: Pixels, depth_m: Pixels, quantity: Quantity, agreement: float
) -> tuple[float, float] | None:
    """Scale and shift of the pair that most agree with; none if the prediction is constant."""
    true = from_depth(depth_m, quantity)
    first, second = torch.randint(len(true), (2, TRIALS), generator=_generator()).to(true.device)
    apart = predicted[second] - predicted[first]
    first, second, apart = (each[apart != 0] for each in (first, second, apart))
    scales = (true[second] - true[first]) / apart
    shifts = true[first] - scales * predicted[first]
    most, best = 0, None
    for some, others in zip(scales.split(_AT_ONCE), shifts.split(_AT_ONCE), strict=True):
        aligned = some[:, None] * predicted + others[:, None]
        counts = _agrees(aligned, depth_m, quantity, agreement).sum(dim=1).tolist()
        for count, scale, shift in zip(counts, some.tolist(), others.tolist(), strict=True):
            if count > most:
                most, best = count, (scale, shift)
    return best


def _agrees(
    aligned: Float64[Tensor, "*trial pixel"], depth_m: Pixels, quantity: Quantity, agreement: float
) -> Bool[Tensor, "*trial pixel"]:
    """Whether the logarithm of its depth is that close to the truth's."""
    ends = [from_depth(depth_m * math.exp(by), quantity) for by in (-agreement, agreement)]
    return (aligned >= torch.minimum(*ends)) & (aligned <= torch.maximum(*ends))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(_SEED)
