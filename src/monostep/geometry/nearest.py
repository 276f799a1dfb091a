"""Nearest-neighbour resampling by Pillow's rule: what the published recipes train on.

The position of a pixel in the source starts at half the scale and grows by the scale from pixel
to pixel, in float64, and is cut to an index. Rounding adds up, so that where the exact position is
an integer the index may be the one before: at 768 -> 480 in 28 of 480 rows.
"""

from functools import lru_cache

import torch
from jaxtyping import Int, Shaped
from torch import Tensor


@lru_cache(maxsize=64)
def indices(source: int, target: int) -> Int[Tensor, " target"]:
    """The pixel of `source` that each of `target` pixels takes, along one axis."""
    steps = torch.full((target,), source / target, dtype=torch.float64)
    steps[0] *= 0.5
    return steps.cumsum(0).long()


def resize(
    values: Shaped[Tensor, "*any height width"], size: tuple[int, int]
) -> Shaped[Tensor, "*any new_height new_width"]:
    """Values of any type on a grid of another (height, width); none is made up."""
    height, width = values.shape[-2:]
    if (height, width) == size:
        return values
    rows = indices(height, size[0]).to(values.device)
    columns = indices(width, size[1]).to(values.device)
    return values.index_select(-2, rows).index_select(-1, columns)
