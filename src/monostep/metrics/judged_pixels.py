"""The pixels that are judged, a few at a time and on every core.

A map of 24 million pixels is read from memory once, and what is computed of it stays in the
processor's cache. Parts are the same, and are added in the same order, whatever the number of
threads, so results are too.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

Map = Float[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]
Pixels = Float64[Tensor, " pixel"]
Result = TypeVar("Result")

AT_ONCE = 1 << 16  # numbers: fewer cost more in calls, more leave the cache


def over_pixels(
    compute: Callable[..., Float64[Tensor, " number"]], maps: Sequence[Map], valid: Mask
) -> Float64[Tensor, "part number"]:
    """Some numbers of every part of the valid pixels, one row for each part that has any.

    Args:
        compute: is given the maps' values at the valid pixels of a part, in float64 and on the
            processor.
        maps: one or more of the size of `valid`.
        valid: which pixels are judged; elsewhere the maps may hold anything.
    """
    flat = [each.detach().cpu().reshape(-1) for each in maps]
    mask = valid.cpu().reshape(-1).numpy()

    def part(first: int) -> list[Tensor]:
        here = slice(first, first + AT_ONCE)
        places = torch.from_numpy(np.flatnonzero(mask[here]))  # several times as fast as torch's
        if len(places) == 0:
            return []
        return [compute(*(each[here].index_select(0, places).double() for each in flat))]

    rows = [row for rows in _in_threads(part, len(mask)) for row in rows]
    return torch.stack(rows) if rows else torch.zeros(0, 1, dtype=torch.float64)


def mapped(change: Callable[[Pixels], Pixels], values: Map) -> Map:
    """A map of changed values: computed in float64, then in the old one's type or float32."""
    dtype = torch.promote_types(values.dtype, torch.float32)
    result = torch.empty(values.shape, dtype=dtype, device=values.device)
    source, target = values.reshape(-1), result.view(-1)

    def part(first: int) -> None:
        here = slice(first, first + AT_ONCE)
        target[here] = change(source[here].double())

    _in_threads(part, source.numel())
    return result


def inner(one: Float64[np.ndarray, " pixel"], other: Float64[np.ndarray, " pixel"]) -> float:
    """Sum of products, without BLAS, which would start threads of its own in every thread."""
    return float(np.einsum("i,i", one, other))


def _in_threads(part: Callable[[int], Result], pixels: int) -> list[Result]:
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return list(pool.map(part, range(0, pixels, AT_ONCE)))
