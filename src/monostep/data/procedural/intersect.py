"""Where a ray is inside a unit shape: the interval of its parameter, empty if it misses.

Rays are given in the frame of the shape (scaled, so that the shape is the unit one), with x, y
and z along the second axis. An interval is a pair (enter, exit); it is empty when enter >= exit.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Points = Float[Tensor, "batch axes #height #width"]
Interval = tuple[Float[Tensor, "batch height width"], Float[Tensor, "batch height width"]]
_TINY = 1e-12  # keeps rays parallel to a face from dividing by zero; absorbed by any other value


def box(origin: Points, direction: Points) -> Interval:
    """Return the interval of the ray inside the cube [-1, 1]^3: that inside all three slabs."""
    inverse = (direction + _TINY).reciprocal()
    middle, reach = -origin * inverse, inverse.abs()
    enter, leave = (middle - reach).unbind(1), (middle + reach).unbind(1)
    return (
        torch.maximum(torch.maximum(enter[0], enter[1]), enter[2]),
        torch.minimum(torch.minimum(leave[0], leave[1]), leave[2]),
    )


def cylinder(origin: Points, direction: Points) -> Interval:
    """Return the interval of the ray inside x^2 + y^2 <= 1, |z| <= 1."""
    enter, leave = ellipsoid(origin[:, :2], direction[:, :2])
    inverse = (direction[:, 2] + _TINY).reciprocal()
    middle, reach = -origin[:, 2] * inverse, inverse.abs()
    return torch.maximum(enter, middle - reach), torch.minimum(leave, middle + reach)


def ellipsoid(origin: Points, direction: Points) -> Interval:
    """Return the interval of the ray inside the unit ball (of any number of dimensions).

    Measured from the point nearest to the centre, which stays exact for small, far shapes where
    the textbook discriminant cancels. A miss gives (inf, -inf).
    """
    inverse = (_dot(direction, direction) + _TINY).reciprocal()
    middle = -_dot(origin, direction) * inverse
    nearest = origin + middle[:, None] * direction
    inside = 1 - _dot(nearest, nearest)
    reach = torch.where(inside > 0, (inside * inverse).sqrt(), -torch.inf)
    return middle - reach, middle + reach


def _dot(a: Points, b: Points) -> Tensor:
    first, *others = (a * b).unbind(1)
    # an explicit sum: the rounding of a reduction may depend on the shape
    return sum(others, start=first)
