"""Metres of a predicted map, by what the truth says of its scale and shift."""

import math
from typing import Literal, TypeAlias, get_args

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor
from torch.nn import functional as F

from monostep.errors import InputError, SettingError
from monostep.geometry.alignment import solve
from monostep.geometry.depth import Quantity
from monostep.geometry.quantity import INVERSE, from_depth, to_depth
from monostep.metrics import moments, robust
from monostep.metrics.judged_pixels import inner, mapped, over_pixels

Alignment: TypeAlias = Literal[
    "depth", "disparity", "sqrt_disparity", "log_depth", "scale", "none", "robust-log"
]
"""The space of a least-squares scale and shift; or scale alone, in depth; none; or robust in log.

`robust-log` finds the scale and shift of the prediction's own quantity whose depth agrees with the
truth's logarithm at most pixels.
"""

Map = Float[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]
Pixels = Float64[Tensor, " pixel"]

LEAST_M = 1e-6  # no depth is nearer, whatever the rules: metrics divide by it
FARTHEST_M = 1e3  # of what is not depth itself; the reference clips disparity at 1e-3 per metre


def align(  # noqa: PLR0913 - the rules' own fields
    values: Map,
    truth_m: Map,
    valid: Mask,
    *,
    alignment: Alignment,
    quantity: Quantity,
    near_m: float,
    far_m: float,
    align_side: int | None = None,
) -> Map:
    """The whole map in metres, in its own type; computed in float64.

    In a space (depth, disparity, sqrt_disparity, log_depth) scale and shift are those of least
    squares on the truth in that space. In disparity only pixels predicted above 0 count, as in the
    reference, unless fewer than two are. `scale` has least squares of one factor of the depth, in
    the map's own quantity: of disparity and its root only pixels predicted above 0 count, so that
    one that is almost 0, hence almost infinitely far, decides nothing. `none` takes the map, or the
    inverse of its quantity, as metres. `robust-log` is found by `monostep.metrics.robust`. Truth of
    0 or below counts only where the fit is in depth itself.

    Then depth is clipped to [near_m, far_m] and is never below 1e-6 m. What is not depth itself
    never exceeds 1000 m: disparity 0 has a depth also where `far_m` is infinite. A map that is
    constant on the valid pixels becomes the mean of the truth, in its space.

    Args:
        values: what was predicted, finite.
        truth_m: depth in metres, above 0 where it is valid.
        valid: the pixels that count; elsewhere the truth may hold anything.
        alignment: how scale and shift are found.
        quantity: what `values` are: near is large in disparity and its root.
        near_m: metres.
        far_m: metres; inf for no end.
        align_side: look only at the columns that `columns` names, and all rows.

    Raises:
        SettingError: a space other than the map's own: what is known up to scale and shift has no
            inverse.
        InputError: no pixel is valid, or scale and shift are not finite.

    Source: the evaluation of Marigold (Ke et al., CVPR 2024) for depth, disparity and clipping.
    """
    _check(alignment, quantity)
    farthest_m = far_m if quantity == "depth" else min(far_m, FARTHEST_M)
    scale, shift = 1.0, 0.0
    if alignment != "none":
        seen = values, truth_m, valid
        if align_side is not None:
            places = columns(*valid.shape, side=align_side)
            seen = [each[:, places] for each in seen]
        scale, shift = _fit(*seen, alignment=alignment, quantity=quantity)
    return mapped(
        lambda part: to_depth(
            scale * part + shift, quantity, near_m=max(near_m, LEAST_M), far_m=farthest_m
        ),
        values,
    )


def columns(height: int, width: int, *, side: int) -> Int[Tensor, " column"]:
    """The columns that the reference aligns on, where the long side exceeds `side`; else all.

    It scales three-dimensional tensors by side / long side, which torch takes for signals: rows all
    stay, and of the columns floor(j * long side / side) do. torch is asked, since it rounds.
    """
    every = torch.arange(width, dtype=torch.float64)
    if max(height, width) <= side:
        return every.long()
    factor = min(side / height, side / width)
    return F.interpolate(every[None, None], scale_factor=factor, mode="nearest")[0, 0].long()


def _check(alignment: str, quantity: str) -> None:
    if alignment not in get_args(Alignment):
        known = ", ".join(get_args(Alignment))
        raise SettingError(f"alignment {alignment!r}: choose {known}")
    if alignment in get_args(Quantity) and alignment != quantity:
        raise SettingError(
            f"alignment {alignment!r} of a map of {quantity}: known up to scale and shift it has "
            f"no {alignment}; align in {quantity}, or, if it has its scale, with scale or none"
        )


def _fit(
    values: Map, truth_m: Map, valid: Mask, *, alignment: Alignment, quantity: Quantity
) -> tuple[float, float]:
    """Scale and shift of the map in its quantity."""
    counted = _counted(values, truth_m, valid, alignment=alignment, quantity=quantity)
    match alignment:
        case "scale":
            found = _scale(values, truth_m, counted, quantity)
        case "robust-log":
            found = robust.fit(values, truth_m, counted, quantity)
        case _:
            found = _least_squares(values, truth_m, counted, quantity)
    if not all(map(math.isfinite, found)):
        raise InputError(
            f"alignment by {alignment} gives scale {found[0]} and shift {found[1]}: prediction or "
            "truth is not finite at valid pixels; correct the map or its mask"
        )
    return found


def _counted(
    values: Map, truth_m: Map, valid: Mask, *, alignment: Alignment, quantity: Quantity
) -> Mask:
    """The valid pixels that scale and shift are found on; nan is kept, so that it is found out."""
    counted = valid
    if quantity != "depth" or alignment == "robust-log":
        counted = counted & ~(truth_m <= 0)  # which has no inverse and no logarithm
    if alignment == "scale" and quantity in INVERSE:
        counted = counted & ~(values <= 0)
    elif alignment == "disparity":
        above = counted & ~(values <= 0)
        counted = above if above.sum() >= 2 else counted
    if not counted.cpu().numpy().any():  # which, unlike torch's, stops at the first
        raise InputError(
            f"alignment by {alignment}: no pixel that it looks at is valid; leave the image out, "
            "or align without align_side"
        )
    return counted


def _least_squares(
    values: Map, truth_m: Map, valid: Mask, quantity: Quantity
) -> tuple[float, float]:
    def part(predicted: Pixels, depth_m: Pixels) -> Float64[Tensor, " number"]:
        true = depth_m if quantity == "depth" else from_depth(depth_m, quantity)
        return moments.part(predicted, true)

    affine = solve(moments.pooled(over_pixels(part, (values, truth_m), valid)))
    return affine.scale.item(), affine.shift.item()


def _scale(values: Map, truth_m: Map, valid: Mask, quantity: Quantity) -> tuple[float, float]:
    """One factor of the depth: in its logarithm a shift, in all other quantities a scale."""

    def part(predicted: Pixels, depth_m: Pixels) -> Float64[Tensor, " number"]:
        true = depth_m if quantity == "depth" else from_depth(depth_m, quantity)
        x, y = predicted.numpy(), true.numpy()
        sums = len(x), (y - x).sum(), inner(x, y), inner(x, x)
        return torch.tensor(sums, dtype=torch.float64)

    parts = over_pixels(part, (values, truth_m), valid).sum(dim=0).tolist()
    count, apart, covariance, variance = parts
    if quantity == "log_depth":
        return 1.0, apart / count
    return (covariance / variance if variance != 0 else 0.0), 0.0
