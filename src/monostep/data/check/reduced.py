"""A frame at the small size at which it is looked at: thousands of images must not take hours."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from monostep.data.frame import Frame

LONG_PX = 256  # about the longer side; smaller images stay as they are


@dataclass(frozen=True, kw_only=True)
class Reduced:
    """An image of about `LONG_PX` with its geometry: colours averaged, geometry picked."""

    image: Float[Tensor, "3 height width"]
    depth_m: Float[Tensor, "height width"]
    valid: Bool[Tensor, "height width"]
    sky: Bool[Tensor, "height width"]
    normals: Float[Tensor, "3 height width"]
    intrinsics: Float[Tensor, "3 3"] | None


def reduce(frame: Frame) -> Reduced:
    """Every n-th pixel of the geometry, and the mean colour of the block around it."""
    height, width = frame.depth_m.shape
    step = min(max(1, round(max(height, width) / LONG_PX)), height, width)
    rows, columns = height // step * step, width // step * step

    def picked(values: Tensor) -> Tensor:
        return values[..., step // 2 : rows : step, step // 2 : columns : step]

    return Reduced(
        image=avg_pool2d(frame.image[:, :rows, :columns], step),
        depth_m=picked(frame.depth_m),
        valid=picked(frame.valid),
        sky=picked(frame.sky),
        normals=picked(frame.normals),
        intrinsics=_reduced(frame.intrinsics, step),
    )


def _reduced(intrinsics: Float[Tensor, "3 3"] | None, step: int) -> Float[Tensor, "3 3"] | None:
    if intrinsics is None:
        return None
    reduced = intrinsics.clone()
    # The picked pixel, whose centre is at step // 2 + 0.5, gets its centre at 0.5.
    reduced[:2, 2] = (intrinsics[:2, 2] - step // 2 - 0.5) / step + 0.5
    reduced[:2, :2] = intrinsics[:2, :2] / step
    return reduced
