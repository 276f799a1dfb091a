"""Boxes in a room: where a model stands, and whether it fits there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scripts.furnished.library import Model

TOUCH_M = 0.004  # boxes may be this far in each other


@dataclass(frozen=True, kw_only=True)
class Box:
    """Axis-aligned, in metres."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def overlaps(self, other: Box) -> bool:
        """Whether the two share more than a touch."""
        return all(
            self.low[k] + TOUCH_M < other.high[k] and other.low[k] + TOUCH_M < self.high[k]
            for k in range(3)
        )


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A model at its place."""

    model: Model
    position: tuple[float, float, float]  # of the centre of its base
    angle: float  # about y; at 0 its front looks along +z
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    mirrored: bool = False
    group: int = -1  # boxes of one group may overlap: a chair and its table
    on: bool = False  # something else carries it

    @property
    def size(self) -> tuple[float, float, float]:
        """Width, height, depth as placed."""
        width, height, depth = (a * b for a, b in zip(self.model.size, self.scale, strict=True))
        return width, height, depth

    @property
    def box(self) -> Box:
        """The box around it in the room."""
        width, height, depth = self.size
        half_x, half_z = turned(width / 2, depth / 2, self.angle)
        x, y, z = self.position
        return Box(low=(x - half_x, y, z - half_z), high=(x + half_x, y + height, z + half_z))

    def matrix(self) -> np.ndarray:
        """Scale, mirror and turn: [3, 3]."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        flip = -1.0 if self.mirrored else 1.0
        return turn * np.array([self.scale[0] * flip, self.scale[1], self.scale[2]])


def turned(width: float, depth: float, angle: float) -> tuple[float, float]:
    """The extents along x and z of a rectangle turned by `angle`."""
    c, s = abs(math.cos(angle)), abs(math.sin(angle))
    return width * c + depth * s, width * s + depth * c


@dataclass
class Floor:
    """A room while it is furnished.

    Walls 0 to 3 are at z = 0, x = width, z = depth and x = 0; a thing against wall w is turned by
    `angle(w)`, and (along, off) are metres along its own x and away from the wall.
    """

    size: tuple[float, float, float]  # width, height, depth
    placed: list[Placed] = field(default_factory=list)
    blocked: list[Box] = field(default_factory=list)  # columns, doors' swing, windows

    def length(self, wall: int) -> float:
        """Of the wall."""
        return self.size[0] if wall % 2 == 0 else self.size[2]

    @staticmethod
    def angle(wall: int) -> float:
        """Of a thing with its back to the wall."""
        return (0.0, -math.pi / 2, math.pi, math.pi / 2)[wall]

    def point(self, wall: int, along: float, off: float) -> tuple[float, float]:
        """X and z."""
        width, _, depth = self.size
        return (
            (along, off),
            (width - off, along),
            (width - along, depth - off),
            (off, depth - along),
        )[wall]

    def fits(self, thing: Placed) -> bool:
        """Whether it is in the room and in nothing else; what carries it is no obstacle."""
        return self.free(thing.box, thing.group)

    def free(self, box: Box, group: int = -1) -> bool:
        """Whether the box is in the room and in nothing, but for those of its group."""
        inside = all(
            box.low[k] >= -TOUCH_M and box.high[k] <= self.size[k] + TOUCH_M for k in range(3)
        )
        others = (each for each in self.placed if not (group >= 0 and each.group == group))
        return (
            inside
            and not any(box.overlaps(each) for each in self.blocked)
            and not any(box.overlaps(each.box) for each in others)
        )

    def fits_on(self, thing: Placed, under: Placed) -> bool:
        """Whether it fits where `under` carries it."""
        box = thing.box
        others = (each for each in self.placed if each is not under)
        return box.high[1] < self.size[1] and not any(box.overlaps(each.box) for each in others)

    def add(self, thing: Placed) -> bool:
        """Put it there if it fits."""
        if not self.fits(thing):
            return False
        self.placed.append(thing)
        return True
