"""What normals alone say about their axes: every visible surface faces the camera.

A floor is seen from above and a wall from its side, so of the wrong way to read the axes many
normals would face away from the ray on which they are seen. This needs no guess about the scene.
Where nothing is seen at a grazing angle, an axis stays open; then most scenes are rooms and roads,
whose surfaces turn inwards: floors below face up, walls on the left face right.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry.frame_agreement import usual_camera
from monostep.geometry.frame_guess import EVERY, Signs

MARGIN = 0.05  # cosine beyond which a normal faces away for sure

Map = Float[Tensor, "3 height width"]


def away(stored: Map) -> dict[Signs, float] | None:
    """Share of the unit vectors that face away from a usual camera, read each way.

    Zero vectors do not count; None if there are no others.
    """
    known = stored.any(dim=0)
    if not known.any():
        return None
    height, width = known.shape
    rays = usual_camera(height, width).rays(height, width)
    along = (stored * (rays / rays.norm(dim=0)))[:, known]
    return {
        way: float(((along * torch.tensor(way)[:, None]).sum(dim=0) > MARGIN).float().mean())
        for way in EVERY
    }


def outward(stored: Map) -> tuple[float, float]:
    """Correlation of the x components with the column, and of y with the row, about the centre.

    Negative where surfaces turn inwards, as read with x right and y down.
    """
    known = stored.any(dim=0)
    height, width = known.shape
    x, y, _ = usual_camera(height, width).rays(height, width)
    return _correlation(stored[0][known], x[known]), _correlation(stored[1][known], y[known])


def _correlation(a: Float[Tensor, " pixel"], b: Float[Tensor, " pixel"]) -> float:
    """Of deviations from 0, which is where both change sides; 0 where one is nothing else."""
    size = (a.square().sum() * b.square().sum()).sqrt()
    return float((a * b).sum() / size) if size > 0 else 0.0
