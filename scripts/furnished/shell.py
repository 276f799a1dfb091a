"""Walls, floor and ceiling with their openings, skirting and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scripts.furnished import textures
from scripts.furnished.openings import Opening, Picture
from scripts.furnished.rooms import Room
from scripts.furnished.surfaces import Builder, Material, linear

_WHITE = np.ones(3, np.float32)
_UP = np.array([0, 1, 0], np.float32)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Numbers of the materials that a room's shell is made of."""

    walls: tuple[int, ...]  # four
    floor: int
    ceiling: int
    trim: int
    door: int
    panes: tuple[int, ...]


class Shell:
    """Builds the shell of one room."""

    def __init__(
        self,
        room: Room,
        builder: Builder,
        rng: np.random.Generator,
        photographs: list[np.ndarray],
        pane_light: float,
    ) -> None:
        self.room, self.builder, self.rng = room, builder, rng
        self.photographs = photographs
        self.look = self._look(pane_light)

    def build(self) -> None:
        """Everything."""
        width, height, depth = self.room.floor.size
        x, z = np.array([width, 0, 0]), np.array([0, 0, depth])
        self.builder.quad(np.zeros(3), x, z, self.look.floor)
        self.builder.quad(np.array([0, height, 0]), x, z, self.look.ceiling)
        for wall in range(4):
            self._wall(wall)
        for column in self.room.columns:
            self.builder.box(column.low, column.high, self.look.walls[0])
        for opening in self.room.openings:
            self._opening(opening)
        for picture in self.room.pictures:
            self._picture(picture)

    def _look(self, pane_light: float) -> Look:
        rng, builder = self.rng, self.builder
        wet = self.room.kind in ("bathroom", "kitchen")
        common = self._textured(*textures.wall(rng, wet=wet))
        special = self._textured(*textures.wall(rng, wet=wet))
        odd = int(rng.integers(4)) if rng.random() < 0.3 else -1
        white = textures.colour(rng, rng.uniform(0.8, 0.96), 0.06)
        trim = textures.colour(rng, rng.uniform(0.75, 0.95), 0.1)
        trim = trim if rng.random() < 0.7 else np.array([0.5, 0.34, 0.2]) * rng.uniform(0.4, 1.5)
        views = [builder.texture(textures.view(rng)) for _ in range(2)]
        panes = [
            builder.add(Material(colour=_WHITE, texture=view, emission=pane_light, pane=True))
            for view in views
        ]
        return Look(
            walls=tuple(special if wall == odd else common for wall in range(4)),
            floor=self._textured(*textures.floor(rng)),
            ceiling=self._textured(textures.cloth(rng, white), 3.0, 0.0),
            trim=builder.add(Material(colour=linear(np.clip(trim, 0, 1)), gloss=0.02)),
            door=self._textured(*self._door()),
            panes=tuple(panes),
        )

    def _door(self) -> tuple[np.ndarray, float, float]:
        rng = self.rng
        if rng.random() < 0.5:
            return textures.cloth(rng, textures.colour(rng, rng.uniform(0.6, 0.95), 0.2)), 2.0, 0.02
        brown = np.array([0.6, 0.4, 0.24]) * rng.uniform(0.4, 1.5)
        return textures.wood(rng, brown, int(rng.choice([4, 8]))), rng.uniform(0.5, 2.0), 0.03

    def _textured(self, picture: np.ndarray, period: float, gloss: float) -> int:
        number = self.builder.texture(picture)
        material = Material(colour=_WHITE, texture=number, period=float(period), gloss=float(gloss))
        return self.builder.add(material)

    def point(self, wall: int, along: float, height: float, off: float) -> np.ndarray:
        """A point given in the frame of a wall; off < 0 is behind its surface."""
        x, z = self.room.floor.point(wall, along, off)
        return np.array([x, height, z], np.float32)

    def _along(self, wall: int) -> np.ndarray:
        return self.point(wall, 1, 0, 0) - self.point(wall, 0, 0, 0)

    def _in(self, wall: int) -> np.ndarray:
        return self.point(wall, 0, 0, 1) - self.point(wall, 0, 0, 0)

    def _wall(self, wall: int) -> None:
        """The wall around its openings, in the cells between their edges."""
        holes = [each for each in self.room.openings if each.wall == wall]
        length, height = self.room.floor.length(wall), self.room.floor.size[1]
        across = {0.0, length} | {h.along + k * h.width / 2 for h in holes for k in (-1, 1)}
        up = {0.0, height} | {h.sill + k * h.height for h in holes for k in (0, 1)}
        columns, rows = sorted(across), sorted(up)
        for left, right in pairwise(columns):
            for low, high in pairwise(rows):
                if not any(_covers(h, (left + right) / 2, (low + high) / 2) for h in holes):
                    corner = self.point(wall, left, low, 0)
                    side = self._along(wall) * (right - left)
                    self.builder.quad(corner, side, _UP * (high - low), self.look.walls[wall])
            if not any(_covers(h, (left + right) / 2, 0.05) for h in holes):
                self._slab(wall, (left, right), (0.0, 0.08), (0.0, 0.012), self.look.trim)

    def _slab(
        self,
        wall: int,
        along: tuple[float, float],
        up: tuple[float, float],
        off: tuple[float, float],
        material: int,
    ) -> None:
        """A box in the frame of a wall."""
        ends = np.stack([self.point(wall, along[k], up[k], off[k]) for k in (0, 1)])
        self.builder.box(ends.min(0), ends.max(0), material)

    def _opening(self, hole: Opening) -> None:
        wall, look = hole.wall, self.look
        left, right = hole.along - hole.width / 2, hole.along + hole.width / 2
        low, high = hole.sill, hole.sill + hole.height
        back = self._in(wall) * -hole.depth
        inner = {"passage": look.walls[wall], "window": look.trim, "door": look.trim}[hole.what]
        for along in (left, right):
            self.builder.quad(self.point(wall, along, low, 0), back, _UP * (high - low), inner)
        across = self._along(wall) * hole.width
        ground = look.floor if hole.sill == 0 else look.trim
        for level, material in ((low, ground), (high, inner)):
            self.builder.quad(self.point(wall, left, level, 0), across, back, material)
        self._back(hole, self.point(wall, left, low, -hole.depth), across)
        if hole.sill == 0 or self.rng.random() < 0.5:
            self._casing(hole)
        if hole.what == "window":
            self._bars(hole)
        if hole.what == "door":
            side = left + 0.06 if self.rng.random() < 0.5 else right - 0.12
            off = (-hole.depth, 0.05 - hole.depth)
            self._slab(wall, (side, side + 0.06), (1.0, 1.03), off, look.trim)

    def _back(self, hole: Opening, corner: np.ndarray, across: np.ndarray) -> None:
        """What closes the hole, from its lower corner."""
        look = self.look
        panes = look.panes[int(self.rng.integers(len(look.panes)))]
        what = {"passage": look.walls[hole.wall], "window": panes, "door": look.door}[hole.what]
        self.builder.quad(corner, across, _UP * hole.height, what, fill=hole.what == "window")

    def _casing(self, hole: Opening) -> None:
        width, out = self.rng.uniform(0.04, 0.1), self.rng.uniform(0.01, 0.025)
        left, right = hole.along - hole.width / 2, hole.along + hole.width / 2
        low, high = hole.sill, hole.sill + hole.height
        parts = [((left - width, left), (low, high)), ((right, right + width), (low, high))]
        parts.append(((left - width, right + width), (high, high + width)))
        if low > 0:
            parts.append(((left - width, right + width), (low - width / 2, low)))
        for along, up in parts:
            self._slab(hole.wall, along, up, (0.0, out), self.look.trim)

    def _bars(self, hole: Opening) -> None:
        """The frame of a window and the bars between its panes."""
        left, right = hole.along - hole.width / 2, hole.along + hole.width / 2
        low, high = hole.sill, hole.sill + hole.height
        columns = max(1, round(hole.width / self.rng.uniform(0.6, 1.4)))
        rows = int(self.rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
        thick, off = 0.03, (-hole.depth, 0.035 - hole.depth)
        for x in np.linspace(left, right, columns + 1):
            self._slab(hole.wall, (x - thick, x + thick), (low, high), off, self.look.trim)
        for y in np.linspace(low, high, rows + 1):
            self._slab(hole.wall, (left, right), (y - thick, y + thick), off, self.look.trim)

    def _picture(self, picture: Picture) -> None:
        number = self.builder.texture(textures.painting(self.rng, self.photographs))
        material = self.builder.add(Material(colour=_WHITE, texture=number))
        left, low = picture.along - picture.width / 2, picture.sill
        along, up = (left, left + picture.width), (low, low + picture.height)
        self._slab(picture.wall, along, up, (0.0, 0.02), self.look.trim)
        corner = self.point(picture.wall, left, low, 0.022)
        across = self._along(picture.wall) * picture.width
        self.builder.quad(corner, across, _UP * picture.height, material, fill=True)


def _covers(hole: Opening, along: float, height: float) -> bool:
    beside = abs(along - hole.along) < hole.width / 2
    return beside and hole.sill < height < hole.sill + hole.height
