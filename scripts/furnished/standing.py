"""Small things on the level surfaces of larger ones."""

from __future__ import annotations

import math

import numpy as np
from scripts.furnished import library
from scripts.furnished.library import Model
from scripts.furnished.placing import Floor, Placed, turned
from scripts.furnished.supports import CELL_M

_LEVEL_M = 0.012  # what a surface may rise and fall under one thing
_TRIES = 12


class Surface:
    """What is left of a placed model's levels."""

    def __init__(self, under: Placed) -> None:
        self.under = under
        heights, air = library.levels(under.model.path)
        self.heights, self.air = heights.copy() * under.scale[1], air * under.scale[1]
        self.cell = (CELL_M * under.scale[0], CELL_M * under.scale[2])

    def top(self) -> float:
        """The height in the room of the level that most of its cells have."""
        seen = self.heights[np.isfinite(self.heights)]
        return float(np.median(seen)) + self.under.position[1] if seen.size else 0.0

    def place(self, model: Model, floor: Floor, rng: np.random.Generator) -> Placed | None:
        """Put the model on some free cells; None if none were found."""
        candidates = np.argwhere(np.isfinite(self.heights) & (self.air > model.size[1] + 0.01))
        if not len(candidates):
            return None
        for level, row, column in candidates[rng.integers(len(candidates), size=_TRIES)]:
            angle = float(rng.normal(0, 0.5)) + (math.pi if rng.random() < 0.1 else 0.0)
            cells = self._cells(model, angle, int(row), int(column))
            if cells is not None and self._level(level, cells, model.size[1]):
                thing = self._thing(model, angle, level, cells)
                if not floor.fits_on(thing, self.under):
                    continue
                self.heights[level, cells[0], cells[1]] = np.nan
                floor.placed.append(thing)
                return thing
        return None

    def _cells(
        self, model: Model, angle: float, row: int, column: int
    ) -> tuple[slice, slice] | None:
        """Rows and columns under the model where its centre is near the cell."""
        width, depth = turned(model.size[0], model.size[2], angle)
        tall, wide = math.ceil(depth / self.cell[1]), math.ceil(width / self.cell[0])
        first_row, first_column = row - tall // 2, column - wide // 2
        rows, columns = self.heights.shape[1:]
        if min(first_row, first_column) < 0:
            return None
        if first_row + tall > rows or first_column + wide > columns:
            return None
        return slice(first_row, first_row + tall), slice(first_column, first_column + wide)

    def _level(self, level: int, cells: tuple[slice, slice], height: float) -> bool:
        heights, air = self.heights[level][cells], self.air[level][cells]
        whole = bool(np.isfinite(heights).all()) and bool((air > height).all())
        return whole and float(np.ptp(heights)) < _LEVEL_M

    def _thing(self, model: Model, angle: float, level: int, cells: tuple[slice, slice]) -> Placed:
        """The model at the middle of the cells, in the room."""
        rows, columns = self.heights.shape[1:]
        x = ((cells[1].start + cells[1].stop) / 2 - columns / 2) * self.cell[0]
        z = ((cells[0].start + cells[0].stop) / 2 - rows / 2) * self.cell[1]
        c, s = math.cos(self.under.angle), math.sin(self.under.angle)
        x = -x if self.under.mirrored else x
        height = float(self.heights[level][cells].max())
        ox, oy, oz = self.under.position
        place = (ox + x * c + z * s, oy + height + 0.001, oz - x * s + z * c)
        return Placed(model=model, position=place, angle=self.under.angle + angle, on=True)
