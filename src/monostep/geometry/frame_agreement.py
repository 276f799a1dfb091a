"""How well two maps of normals agree under every way to swap and flip axes, from nine numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.geometry.camera import Camera
from monostep.geometry.d2nt import normals_from_depth

CLEAR = 0.5  # mean cosine that another way must reach
SLACK = 0.2  # of what the best lacks to 1, by which it must also be better than the declared one
FEWEST_PX = 64
USUAL_FOCAL = 0.9  # of the longer side, where the camera is not known: signs need no more
_AXES = "xyz"

Map = Float[Tensor, "3 height width"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """Mean products of stored (rows) and reference (columns) components, in the OpenCV frame."""

    products: Float[Tensor, "3 3"]

    def cosine(self, axes: tuple[int, ...], signs: tuple[int, ...]) -> float:
        """Mean cosine if component k is in truth `signs[k]` times the stored axis `axes[k]`."""
        return sum(
            sign * float(self.products[axis, k])
            for k, (axis, sign) in enumerate(zip(axes, signs, strict=True))
        )

    def best(self) -> tuple[float, tuple[int, ...], tuple[int, ...]]:
        """The highest mean cosine, and the axes and signs that give it; plain signs on a tie."""
        every = [
            (self.cosine(axes, signs), axes, signs)
            for axes in permutations(range(3))
            for signs in product((1, -1), repeat=3)
        ]
        return max(every, key=lambda each: each[0])

    @property
    def declared(self) -> float:
        """Mean cosine as declared."""
        return self.cosine((0, 1, 2), (1, 1, 1))


def compare(stored: Map, reference: Map) -> Agreement | None:
    """Of two maps of unit vectors, 0 where there is none; None where too few pixels have both."""
    both = reference.any(dim=0) & stored.any(dim=0)
    if int(both.sum()) < FEWEST_PX:
        return None
    return Agreement(products=stored[:, both] @ reference[:, both].T / both.sum())


def together(agreements: list[Agreement]) -> Agreement:
    """Of several images, each counting the same."""
    return Agreement(products=torch.stack([each.products for each in agreements]).mean(dim=0))


def normals_of(
    depth_m: Float[Tensor, "height width"],
    valid: Bool[Tensor, "height width"],
    intrinsics: Float[Tensor, "3 3"] | None = None,
) -> Map:
    """Normals of a depth map, by a usual camera if none is known; 0 where there is none."""
    if min(depth_m.shape) < 2:
        return depth_m.new_zeros(3, *depth_m.shape)
    matrix = _matrix(usual_camera(*depth_m.shape)) if intrinsics is None else intrinsics
    return normals_from_depth(depth_m, matrix, valid=valid)


def usual_camera(height: int, width: int) -> Camera:
    """A camera that sees as much as most do."""
    focal = USUAL_FOCAL * max(height, width)
    return Camera(focal_x_px=focal, focal_y_px=focal, centre_x_px=width / 2, centre_y_px=height / 2)


def is_better(best: float, than: float, gain: float) -> bool:
    """Whether a mean cosine speaks for another way than the one that has `than`."""
    return best >= CLEAR and best >= than + gain + SLACK * (1 - best)


def taken_from(axes: tuple[int, ...], signs: tuple[int, ...]) -> str:
    """Where the true x, y, z are among the stored axes, such as "-y, x, z"."""
    return ", ".join(f"{'-' if s < 0 else ''}{_AXES[a]}" for a, s in zip(axes, signs, strict=True))


def _matrix(camera: Camera) -> Float[Tensor, "3 3"]:
    return torch.tensor(
        [
            [camera.focal_x_px, 0, camera.centre_x_px],
            [0, camera.focal_y_px, camera.centre_y_px],
            [0, 0, 1],
        ]
    )
