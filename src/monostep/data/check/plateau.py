"""One value that fills a part of a map where a surface would have many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

LEAP = 3.0  # ratio between neighbours among the values that sets the far ones apart
TOP = 32  # the first 1 / 32 of the rows are the top
FREQUENT = 10  # times as many pixels as the median value has
_MIDDLE = 0.5  # the leap is looked for beyond this quantile

End = Literal["least", "most", "inside", "far"]
Map = Float[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """Pixels of one value, and where they lie.

    It is the least or the most of all, or inside, where it is the commonest by far. "far" is not
    of one value: all that a leap sets apart from the rest.
    """

    end: End
    value: float  # metres; of "far" the nearest
    share: float  # of the valid pixels
    neighbour: float  # the next value towards the others
    leap: float  # ratio of the two, above 1
    step: float  # difference of the two over the range of all values
    of_top: float  # share of the top rows that it fills
    height: float  # mean row, from 0 (top) to 1


def measure(values: Map, valid: Mask) -> tuple[Plateau, ...]:
    """The plateaus of a map; none if it has one value."""
    known, counts = torch.unique(values[valid], return_counts=True)
    last = len(known) - 1
    if last < 1:
        return ()
    found = [
        _plateau("least", values, valid, known, 0),
        _plateau("most", values, valid, known, last),
    ]
    commonest = 1 + int(counts[1:last].argmax()) if last > 1 else 0
    if commonest and counts[commonest] >= FREQUENT * counts.median():
        found.append(_plateau("inside", values, valid, known, commonest))
    if (first := _beyond(known, counts)) is not None and first < last:
        found.append(_plateau("far", values, valid, known, first))
    return tuple(found)


def _beyond(known: Float[Tensor, " values"], counts: Tensor) -> int | None:
    """The first value beyond the largest leap in the farther half of the pixels, if it is one."""
    median = int((counts.cumsum(0) < _MIDDLE * counts.sum()).sum())
    half = known[median:]
    if half[0] <= 0 or len(half) < 2:
        return None
    ratios = half[1:] / half[:-1]
    return median + 1 + int(ratios.argmax()) if ratios.max() >= LEAP else None


def _plateau(
    end: End, values: Map, valid: Mask, known: Float[Tensor, " values"], at: int
) -> Plateau:
    value, neighbour = float(known[at]), float(known[at - 1 if at else 1])
    where = valid & (values >= value if end == "far" else values == value)
    rows = len(values)
    low, high = sorted((abs(value), abs(neighbour)))
    return Plateau(
        end=end,
        value=value,
        share=float(where.sum() / valid.sum()),
        neighbour=neighbour,
        leap=high / low if low > 0 else float("inf"),
        step=abs(value - neighbour) / float(known[-1] - known[0]),
        of_top=float(where[: max(1, rows // TOP)].float().mean()),
        height=float(where.nonzero()[:, 0].float().mean() + 0.5) / rows,
    )
