"""A scene while it is put together: triangles, materials, textures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scripts.furnished.mesh import Mesh


def linear(colour: np.ndarray) -> np.ndarray:
    """Light that an sRGB value stands for."""
    colour = np.asarray(colour, np.float32)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a surface looks like; `period` is what its texture spans in metres."""

    colour: np.ndarray  # [3], linear; times the texture if there is one
    texture: int = -1
    period: float = 1.0
    gloss: float = 0.0
    emission: float = 0.0  # radiance, times the colour and the texture
    pane: bool = False  # of a window: the sun shines through


class Builder:
    """Collects quads, boxes and meshes."""

    def __init__(self) -> None:
        self.corners: list[np.ndarray] = []
        self.uv: list[np.ndarray] = []
        self.material: list[np.ndarray] = []
        self.materials: list[Material] = []
        self.textures: list[np.ndarray] = []

    def texture(self, picture: np.ndarray) -> int:
        """The number of a picture [TEXTURE, TEXTURE, 3] uint8 that is added."""
        self.textures.append(picture)
        return len(self.textures) - 1

    def add(self, material: Material) -> int:
        """The number of a material that is added."""
        self.materials.append(material)
        return len(self.materials) - 1

    def quad(
        self,
        corner: ArrayLike,
        a: ArrayLike,
        b: ArrayLike,
        material: int,
        *,
        fill: bool = False,
        flipped: bool = False,
    ) -> None:
        """A parallelogram that faces along a x b, or the other way if flipped.

        Its texture is in metres, or once over all of it if it is to `fill`.
        """
        corner, a, b = (np.asarray(each, np.float32) for each in (corner, a, b))
        points = np.stack([corner, corner + a, corner + a + b, corner + b])
        period = self.materials[material].period
        wide, tall = (1, 1) if fill else (np.linalg.norm(a) / period, np.linalg.norm(b) / period)
        # panels of one wall go on where the others end
        start = np.zeros(2) if fill else _start(corner, a, b) / period
        uv = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32) + start
        order = np.array([[0, 1, 2], [0, 2, 3]])
        order = order[:, ::-1] if flipped else order
        self._append(points[order], uv[order], np.full(2, material))

    def polygon(self, points: np.ndarray, material: int) -> None:
        """Four corners, flat, without a texture."""
        order = np.array([[0, 1, 2], [0, 2, 3]])
        self._append(points[order], np.zeros((2, 3, 2), np.float32), np.full(2, material))

    def box(self, low: ArrayLike, high: ArrayLike, material: int) -> None:
        """An axis-aligned box."""
        low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
        for axis in range(3):
            a, b = np.zeros(3), np.zeros(3)
            first, second = ((2, 1), (0, 2), (0, 1))[axis]
            a[first], b[second] = (high - low)[first], (high - low)[second]
            outward = np.cross(a, b)[axis] > 0
            for end, upper in ((low, False), (high, True)):
                corner = low.copy()
                corner[axis] = end[axis]
                self.quad(corner, a, b, material, flipped=upper != outward)

    def mesh(self, mesh: Mesh, materials: list[Material], corners: np.ndarray) -> None:
        """A model, its materials, whose `texture` counts from 0, and its corners in the room."""
        first = len(self.textures)
        self.textures += list(mesh.textures)
        base = len(self.materials)
        for each in materials:
            shift = first if each.texture >= 0 else 0
            moved = {**each.__dict__, "texture": each.texture + shift}
            self.materials.append(Material(**moved))
        self._append(corners, mesh.uv, mesh.material + base)

    def _append(self, corners: np.ndarray, uv: np.ndarray, material: np.ndarray) -> None:
        self.corners.append(corners.astype(np.float32))
        self.uv.append(uv.astype(np.float32))
        self.material.append(material.astype(np.int32))


def _start(corner: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where the corner is along both sides, in metres."""
    ends = [side / max(float(np.linalg.norm(side)), 1e-9) for side in (a, b)]
    return np.array([float(corner @ end) for end in ends])
