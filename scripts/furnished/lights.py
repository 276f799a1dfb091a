"""The lights of a room: panes, ceiling panels, lamps and the sun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scripts.furnished import textures
from scripts.furnished.placing import Placed
from scripts.furnished.rooms import Room
from scripts.furnished.surfaces import Builder, Material, linear


@dataclass(frozen=True, kw_only=True)
class Light:
    """A rectangle, or a ball of radius |a| around `corner` if it has no `b`."""

    corner: np.ndarray  # [3]
    a: np.ndarray  # [3]
    b: np.ndarray | None  # [3]
    normal: np.ndarray  # [3], of a rectangle: where it shines to
    radiance: np.ndarray  # [3]

    @property
    def centre(self) -> np.ndarray:
        """Of what shines."""
        return self.corner if self.b is None else self.corner + (self.a + self.b) / 2

    @property
    def power(self) -> float:
        """Area times radiance, to choose lights by."""
        if self.b is None:
            area = np.pi * float(self.a @ self.a)
        else:
            area = float(np.linalg.norm(np.cross(self.a, self.b)))
        return area * float(self.radiance.mean())


@dataclass(frozen=True, kw_only=True)
class Lighting:
    """All that shines in a room."""

    lights: tuple[Light, ...]
    sun: np.ndarray | None  # [3], towards it
    sun_light: np.ndarray  # [3], irradiance


@dataclass(frozen=True, kw_only=True)
class Mood:
    """The hour, and whether lamps are on."""

    pane: float  # radiance of panes
    daylight: np.ndarray  # [3], colour
    lamps: bool
    sunny: bool

    @staticmethod
    def draw(room: Room, rng: np.random.Generator) -> Mood:
        """Day or night; lamps are on where there would be no light."""
        windows = any(each.what == "window" for each in room.openings)
        day = bool(rng.random() < 0.75)
        pane = float(rng.uniform(2.0, 12.0)) if day else float(rng.uniform(0.01, 0.15))
        cold = rng.uniform(-0.12, 0.12)
        lamps = not (day and windows) or bool(rng.random() < 0.5)
        sunny = day and bool(rng.random() < 0.4)
        return Mood(
            pane=pane, daylight=np.array([1 - cold, 1.0, 1 + cold]), lamps=lamps, sunny=sunny
        )


def make(room: Room, builder: Builder, mood: Mood, rng: np.random.Generator) -> Lighting:
    """The room's lights; panels become surfaces too."""
    found = [_pane(room, number, mood) for number in _windows(room)]
    warm = _warm(rng)
    if mood.lamps:
        hung = [_lamp(each, warm * rng.uniform(4, 12)) for each in room.lamps]
        standing = [each for each in room.floor.placed if is_lamp(each)]
        hung += [_lamp(each, warm * rng.uniform(3, 9)) for each in standing if rng.random() < 0.6]
        found += hung
        # kitchens, offices and rooms without a lamp have something on the ceiling
        if not hung or room.kind in ("office", "kitchen", "bathroom"):
            found += _panels(room, builder, warm, rng)
    if not found:
        found = _panels(room, builder, warm, rng)
    sun = _sun(room, rng) if mood.sunny else None
    return Lighting(
        lights=tuple(found), sun=sun, sun_light=rng.uniform(15, 45) * np.array([1.0, 0.93, 0.8])
    )


def is_lamp(thing: Placed) -> bool:
    """Whether it is a lamp that stands."""
    named = "amp" in thing.model.name
    return thing.model.category == "Lights" and named and thing.model.role != "ceiling_lamp"


def _warm(rng: np.random.Generator) -> np.ndarray:
    """The colour of lamps, from warm white to cold."""
    return np.array([1.0, rng.uniform(0.72, 1.0), 0.0]) + np.array([0, 0, rng.uniform(0.4, 1.1)])


def _windows(room: Room) -> list[int]:
    return [k for k, each in enumerate(room.openings) if each.what == "window"]


def _pane(room: Room, number: int, mood: Mood) -> Light:
    hole = room.openings[number]
    floor = room.floor
    off = 0.06 - hole.depth
    left = hole.along - hole.width / 2
    (x0, z0), (x1, z1) = (floor.point(hole.wall, left + k * hole.width, off) for k in (0, 1))
    inward = np.subtract(floor.point(hole.wall, 0, 1), floor.point(hole.wall, 0, 0))
    return Light(
        corner=np.array([x0, hole.sill, z0]),
        a=np.array([x1 - x0, 0, z1 - z0]),
        b=np.array([0, hole.height, 0]),
        normal=np.array([inward[0], 0, inward[1]]),
        radiance=mood.pane * 0.8 * mood.daylight,
    )


def _lamp(thing: Placed, radiance: np.ndarray) -> Light:
    """A ball around the lower part of what hangs, or the upper part of what stands."""
    box = thing.box
    radius = max(0.06, min(0.25, (box.high[0] - box.low[0]) * 0.5))
    hangs = thing.model.role == "ceiling_lamp"
    y = box.low[1] + radius * 0.6 if hangs else box.high[1] - radius * 0.8
    return Light(
        corner=np.array([thing.position[0], y, thing.position[2]]),
        a=np.array([radius, 0, 0]),
        b=None,
        normal=np.zeros(3),
        radiance=radiance * min(1.0, (0.2 / radius) ** 2),
    )


def _panels(
    room: Room, builder: Builder, warm: np.ndarray, rng: np.random.Generator
) -> list[Light]:
    """Panels, tubes or spots under the ceiling, in rows."""
    width, height, depth = room.floor.size
    shape = [(0.6, 0.6), (1.2, 0.2), (0.12, 0.12), (0.35, 0.35)][int(rng.integers(4))]
    shape = shape if rng.random() < 0.5 else shape[::-1]
    rows, columns = (max(1, round(side / rng.uniform(1.8, 3.0))) for side in (depth, width))
    while rows * columns > 6:
        rows, columns = max(1, rows - 1), max(1, columns - 1)
    total = rng.uniform(1.5, 5.0) * (width * depth) ** 0.5
    radiance = warm * min(60.0, total / (rows * columns * shape[0] * shape[1]) / 4)
    shown = builder.add(Material(colour=warm.astype(np.float32), emission=float(radiance.mean())))
    body = builder.add(Material(colour=linear(textures.colour(rng, 0.9, 0.05))))
    found = []
    for row in range(rows):
        for column in range(columns):
            x = (column + 0.5) / columns * width - shape[0] / 2
            z = (row + 0.5) / rows * depth - shape[1] / 2
            a, b = np.array([shape[0], 0, 0]), np.array([0, 0, shape[1]])
            corner = np.array([x, height - 0.03, z])
            builder.box(corner - [0.02, 0, 0.02], corner + a + b + [0.02, 0.03, 0.02], body)
            builder.quad(corner - [0, 0.002, 0], a, b, shown)
            down = np.array([0.0, -1.0, 0.0])
            found.append(
                Light(corner=corner - [0, 0.004, 0], a=a, b=b, normal=down, radiance=radiance)
            )
    return found


def _sun(room: Room, rng: np.random.Generator) -> np.ndarray | None:
    """A direction from which the sun falls through one of the windows."""
    windows = _windows(room)
    if not windows:
        return None
    hole = room.openings[int(rng.choice(windows))]
    out = np.subtract(room.floor.point(hole.wall, 0, 0), room.floor.point(hole.wall, 0, 1))
    aside = np.array([out[1], -out[0]]) * rng.uniform(-0.8, 0.8)
    level = np.array([out[0] + aside[0], 0, out[1] + aside[1]])
    sun = level / np.linalg.norm(level) + np.array([0, rng.uniform(0.35, 1.2), 0])
    return sun / np.linalg.norm(sun)
