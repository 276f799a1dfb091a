"""Where things can stand on a model: its level surfaces and the room above each.

A grid of columns is followed from above through every surface of the model; a level surface that
faces up, with air above it, is one on which things can stand.
"""

from __future__ import annotations

import numpy as np
from scripts.furnished.mesh import Mesh

CELL_M = 0.04
LEVELS = 8  # surfaces followed in each column
_FREE_M = 1.5  # air above the uppermost level


def levels(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Heights and the air above them, both [LEVELS, rows, columns] in metres; NaN: no level.

    Columns run along x and rows along z, from the mesh's least x and z in steps of CELL_M.
    """
    from embreex.mesh_construction import TriangleMesh  # pyright: ignore[reportMissingImports]
    from embreex.rtcore_scene import EmbreeScene  # pyright: ignore[reportMissingImports]

    scene = EmbreeScene()
    TriangleMesh(scene, np.ascontiguousarray(mesh.corners))
    low, high = mesh.corners.min((0, 1)), mesh.corners.max((0, 1))
    columns, rows = (max(1, int((high[k] - low[k]) / CELL_M)) for k in (0, 2))
    x = low[0] + (np.arange(columns) + 0.5) * CELL_M
    z = low[2] + (np.arange(rows) + 0.5) * CELL_M
    grid = np.stack(np.meshgrid(x, z), -1).reshape(-1, 2).astype(np.float32)
    shape = (LEVELS, rows, columns)
    heights, air = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    start = np.full(len(grid), high[1] + 0.1, np.float32)
    above = np.full(len(grid), high[1] + _FREE_M, np.float32)
    down = np.tile(np.array([0, -1, 0], np.float32), (len(grid), 1))
    for level in range(LEVELS):
        origins = np.stack([grid[:, 0], start, grid[:, 1]], 1)
        hit = scene.run(origins, down, output=1)
        found = hit["primID"] >= 0
        y = np.where(found, start - hit["tfar"], -1).astype(np.float32)
        length = np.linalg.norm(hit["Ng"], axis=1)
        flat = np.abs(hit["Ng"][:, 1]) > 0.98 * np.maximum(length, 1e-20)
        gap = above - y
        # below the uppermost surface only winding tells a board's top from its underside
        up = (hit["Ng"][:, 1] > 0) | (level == 0)
        usable = found & flat & up & (gap > 0.03) & (y > 0.05)
        heights[level] = np.where(usable, y, np.nan).reshape(rows, columns)
        air[level] = np.where(usable, gap, np.nan).reshape(rows, columns)
        above = np.where(found, y, above)
        start = np.where(found, y - 0.004, start)
    return heights, air
