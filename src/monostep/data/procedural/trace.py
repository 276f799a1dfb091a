"""Which solid a ray meets first, and whether anything stands between a light and a point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from monostep.data.procedural import intersect
from monostep.data.procedural.camera import Vector, dot
from monostep.data.procedural.scene import Scene, Solids
from monostep.data.procedural.windows import Window, windows

_Meet = Callable[[Vector], intersect.Interval]


@dataclass(frozen=True, kw_only=True)
class Hit:
    """The nearest surface of every ray."""

    t: Float[Tensor, "batch height width"]  # ray parameter (z-depth in metres of camera rays)
    solid: Int[Tensor, "batch height width"]  # rooms, boxes, cylinders, ellipsoids; -1 if none


def trace(scene: Scene, direction: Vector) -> Hit:
    """Return the first surface met by rays from the camera along `direction`."""
    size = torch.broadcast_shapes(*(part.shape for part in direction))
    t = direction[2].new_full(size, torch.inf)
    solid = torch.full_like(t, -1, dtype=torch.int64)
    origin = torch.zeros_like(scene.up)
    for number, meet in enumerate(_each(scene.rooms, origin, intersect.box)):
        enter, leave = meet(direction)
        inside = (enter < leave) & (leave > 0)  # not so for the padding of a batch
        solid.masked_fill_(inside, number)
        t = torch.where(inside, leave, t)
    for number, meet, (y, x) in _each_solid(scene, origin, direction):
        t_here = t[:, y, x]
        enter, leave = meet(_crop(direction, y, x))
        nearer = (enter < torch.minimum(leave, t_here)) & (enter > 0)
        solid[:, y, x].masked_fill_(nearer, number)
        t_here.copy_(torch.where(nearer, enter, t_here))
    return Hit(t=t, solid=solid)


def lit(
    scene: Scene,
    light_m: Float[Tensor, "batch 3"],
    to_point_m: Vector,
    slack_m: Float[Tensor, "batch height width"],
    wanted: Bool[Tensor, "batch height width"],
) -> Bool[Tensor, "batch height width"]:
    """Return where nothing stands between the light and the points at `light_m + to_point_m`.

    Surfaces within `slack_m` of a point cast no shadow on it, so that none shadows itself.
    Where not `wanted`, the answer may be wrong.
    """
    distance_m = dot(to_point_m, to_point_m).sqrt()
    reach = 1 - slack_m / distance_m
    end_m = torch.where(wanted, distance_m, 0.0)
    free = torch.ones_like(reach, dtype=torch.bool)
    for _, meet, (y, x) in _each_solid(scene, light_m, to_point_m, end_m):
        enter, leave = meet(_crop(to_point_m, y, x))
        between = (enter < torch.minimum(leave, reach[:, y, x])) & (enter > 0)
        free[:, y, x].masked_fill_(between, 0)
    return free


def _each_solid(
    scene: Scene,
    origin: Float[Tensor, "batch 3"],
    direction: Vector,
    end_m: Float[Tensor, "batch height width"] | None = None,
) -> Iterator[tuple[int, _Meet, Window]]:
    """Yield number, intersection and window of every solid that rays from `origin` can meet."""
    shapes = (
        (scene.boxes, intersect.box),
        (scene.cylinders, intersect.cylinder),
        (scene.ellipsoids, intersect.ellipsoid),
    )
    seen = windows([solids for solids, _ in shapes], origin, direction, end_m)
    meetings = [meet for solids, shape in shapes for meet in _each(solids, origin, shape)]
    for number, (meet, window) in enumerate(zip(meetings, seen, strict=True), len(scene.rooms)):
        if window is not None:
            yield number, meet, window


def _each(
    solids: Solids,
    origin: Float[Tensor, "batch 3"],
    shape: Callable[[Tensor, Tensor], intersect.Interval],
) -> Iterator[_Meet]:
    """Yield for each solid the function from rays to the intervals inside it."""
    frame = solids.axes / solids.half_m[..., None]
    offset = (origin[:, None] - solids.centre_m)[:, :, None]
    origins = (frame * offset).sum(-1)[..., None, None].unbind(1)
    columns = zip(*(c[..., None, None].unbind(1) for c in frame.unbind(-1)), strict=True)
    for start, (x, y, z) in zip(origins, columns, strict=True):

        def meet(
            direction: Vector, start: Tensor = start, axes: Vector = (x, y, z)
        ) -> intersect.Interval:
            in_frame = dot(
                axes, (direction[0][:, None], direction[1][:, None], direction[2][:, None])
            )
            return shape(start, in_frame)

        yield meet


def _crop(v: Vector, y: slice, x: slice) -> Vector:
    # an axis along which a part does not vary has one entry, which stays
    rows = [part[:, y] if part.shape[1] > 1 else part for part in v]
    first, second, third = (part[:, :, x] if part.shape[2] > 1 else part for part in rows)
    return first, second, third
