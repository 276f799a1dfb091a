"""The pinhole camera: the rays of its pixels and its intrinsic matrix."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Vector = tuple[Tensor, Tensor, Tensor]  # x, y and z, each broadcasting to [batch, height, width]


def rays(focal: Float[Tensor, " batch"], size: tuple[int, int], margin: float = 0.5) -> Vector:
    """Return the directions (x, y, 1) of the rays through the points of the image plane.

    With `margin` 0.5 they go through the centres of the pixels, with 0 through their corners (one
    more row and column). The parts broadcast: x varies along a row only, y along a column only.
    """
    height, width = size
    focal_px = focal[:, None, None] * width
    columns = torch.arange(margin, width - margin + 0.5, device=focal.device)
    rows = torch.arange(margin, height - margin + 0.5, device=focal.device)
    x = (columns - width / 2) / focal_px
    y = (rows - height / 2)[:, None] / focal_px
    return x, y, torch.ones_like(focal_px)


def intrinsics(focal: Float[Tensor, " batch"], size: tuple[int, int]) -> Float[Tensor, "batch 3 3"]:
    """Return the matrices that take camera coordinates to pixels."""
    height, width = size
    matrix = torch.zeros(focal.shape[0], 3, 3, dtype=focal.dtype, device=focal.device)
    matrix[:, 0, 0] = matrix[:, 1, 1] = focal * width
    matrix[:, 0, 2] = width / 2
    matrix[:, 1, 2] = height / 2
    matrix[:, 2, 2] = 1
    return matrix


def dot(a: Vector, b: Vector) -> Tensor:
    """Return the scalar product, x and z first so that broadcast rays stay small."""
    return (a[0] * b[0] + a[2] * b[2]) + a[1] * b[1]


def unit(v: Vector) -> Vector:
    """Return the vector scaled to length one."""
    scale = dot(v, v).clamp_min(1e-24).rsqrt()
    return v[0] * scale, v[1] * scale, v[2] * scale
