"""Triangles with materials: sizing, and simplification by clusters of vertices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

TEXTURE = 128  # side of every texture in texels, a power of two


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles, and what their surfaces look like."""

    corners: np.ndarray  # [faces, 3, 3] float32, metres
    uv: np.ndarray  # [faces, 3, 2] float32, in repeats of the texture
    material: np.ndarray  # [faces] int32
    colour: np.ndarray  # [materials, 3] float32, sRGB
    gloss: np.ndarray  # [materials] float32, reflectance straight on
    texture: np.ndarray  # [materials] int32, index into textures; -1: none
    textures: np.ndarray  # [textures, TEXTURE, TEXTURE, 3] uint8, sRGB

    def __len__(self) -> int:
        """The number of triangles."""
        return len(self.corners)

    def only(self, faces: np.ndarray) -> Mesh:
        """The mesh of the chosen faces."""
        return replace(
            self,
            corners=self.corners[faces],
            uv=self.uv[faces],
            material=self.material[faces],
        )


def sized(mesh: Mesh, rotation: tuple[float, ...], size: tuple[float, float, float]) -> Mesh:
    """The mesh turned, then scaled to `size`, its base centred on the origin."""
    turned = mesh.corners @ np.array(rotation, np.float32).reshape(3, 3).T
    low, high = turned.min((0, 1)), turned.max((0, 1))
    scale = np.array(size, np.float32) / np.maximum(high - low, 1e-6)
    origin = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    return replace(mesh, corners=((turned - origin) * scale).astype(np.float32))


def simplified(mesh: Mesh, most: int) -> Mesh:
    """A mesh of at most about `most` faces, its vertices snapped to an ever coarser grid."""
    extent = np.ptp(mesh.corners.reshape(-1, 3), axis=0).max()
    for cells in (160, 112, 80, 56, 40, 28):
        if len(mesh) <= most:
            break
        mesh = _snapped(mesh, extent / cells)
    return mesh


def _snapped(mesh: Mesh, step: float) -> Mesh:
    """Vertices of one cell become their mean; faces that collapse or repeat go."""
    flat = mesh.corners.reshape(-1, 3)
    cell = np.floor(flat / step).astype(np.int64)
    _, place, count = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    mean = np.stack([np.bincount(place, flat[:, k]) for k in range(3)], 1) / count[:, None]
    index = place.reshape(-1, 3)
    whole = (np.diff(np.sort(index, axis=1), axis=1) != 0).all(axis=1)
    first = np.zeros(len(index), bool)
    first[np.unique(np.sort(index, axis=1), axis=0, return_index=True)[1]] = True
    keep = whole & first
    snapped = mean.astype(np.float32)[index]
    return replace(mesh, corners=snapped).only(keep)
