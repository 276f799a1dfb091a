"""Which part of an image a solid can be in, so that the rest of the image need not look for it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from monostep.data.procedural.camera import Vector, unit
from monostep.data.procedural.scene import Solids

Window = tuple[slice, slice]  # rows, columns
_TILE = 16  # pixels on a side
_SLACK_M = 2e-3  # more than the rounding of the distances here
_TINY = 1e-12


def windows(
    groups: Sequence[Solids],
    origin: Float[Tensor, "batch 3"],
    direction: Vector,
    reach_m: Float[Tensor, "batch height width"] | None = None,
) -> list[Window | None]:
    """Return for every solid a window outside which no ray from `origin` can meet it, if any.

    With `reach_m` rays end there: solids farther away do not count.
    """
    size = torch.broadcast_shapes(*(part.shape for part in direction))
    axis, spread = _tiles(torch.stack(torch.broadcast_tensors(*unit(direction)), dim=1))
    end = spread.new_full((1, 1, 1), torch.inf)
    if reach_m is not None:
        end = max_pool2d(reach_m[:, None], _TILE, ceil_mode=True)[:, 0]
    seen = torch.cat([_meets(group, origin, axis, spread, end) for group in groups], dim=1).any(0)
    spans = torch.cat([_span(seen.any(2)), _span(seen.any(1))], dim=1).tolist()
    return [
        (slice(top, min(bottom, size[1])), slice(left, min(right, size[2]))) if bottom else None
        for top, bottom, left, right in spans
    ]


def _tiles(
    rays: Float[Tensor, "batch 3 height width"],
) -> tuple[Float[Tensor, "batch 3 rows columns"], Float[Tensor, "batch rows columns"]]:
    """Return the mean direction of each tile of unit rays, and how far a ray differs from it."""
    mean = avg_pool2d(rays, _TILE, ceil_mode=True, count_include_pad=False)
    axis = mean / mean.square().sum(1, keepdim=True).sqrt()
    of_pixel = axis.repeat_interleave(_TILE, 2).repeat_interleave(_TILE, 3)
    apart = (rays - of_pixel[:, :, : rays.shape[2], : rays.shape[3]]).square().sum(1, keepdim=True)
    return axis, max_pool2d(apart, _TILE, ceil_mode=True)[:, 0].sqrt()


def _meets(
    solids: Solids,
    origin: Float[Tensor, "batch 3"],
    axis: Float[Tensor, "batch 3 rows columns"],
    spread: Float[Tensor, "batch rows columns"],
    end: Float[Tensor, "#batch #rows #columns"],
) -> Bool[Tensor, "batch solids rows columns"]:
    """Return whether any ray of a tile can meet the box around a solid.

    At distance s a ray of the tile is within s `spread` of the tile's axis. So if it is in the box
    there, the axis is in the box grown by s `spread`, and s is no more than `farthest`.
    """
    offset = origin[:, None] - solids.centre_m
    size = solids.half_m.square().sum(-1).sqrt() + offset.square().sum(-1).sqrt()
    farthest = torch.minimum(size[..., None, None], end[:, None])
    grown = (
        solids.half_m[..., None, None] + (_SLACK_M + 1.01 * spread[:, None] * farthest)[:, :, None]
    )
    start = (solids.axes * offset[:, :, None]).sum(-1)[..., None, None]
    along = (solids.axes[..., None, None] * axis[:, None, None]).sum(3)
    inverse = (along + _TINY).reciprocal()
    middle, reach = -start * inverse, grown * inverse.abs()
    enter, leave = (middle - reach).amax(2), (middle + reach).amin(2)
    return (enter < leave) & (leave > 0) & (enter < farthest)


def _span(seen: Bool[Tensor, "solids tiles"]) -> Int[Tensor, "solids 2"]:
    """Return first and last-plus-one pixel of the tiles that are True; (0, 0) if none is."""
    number = torch.arange(seen.shape[1], device=seen.device)
    last = torch.where(seen, number + 1, 0).amax(1)
    first = torch.where(seen, number, seen.shape[1]).amin(1)
    return torch.stack([torch.minimum(first, last), last], dim=1) * _TILE
