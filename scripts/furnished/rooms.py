"""Whole rooms: their size, what they are for, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scripts.furnished import groups, openings
from scripts.furnished.furnisher import Furnisher
from scripts.furnished.library import Library
from scripts.furnished.openings import Opening, Picture
from scripts.furnished.placing import Box, Floor, Placed
from scripts.furnished.standing import Surface

# Share of each kind, and the range of its shorter and longer side in metres.
KINDS = {
    "living": (0.27, (3.0, 5.5), (3.8, 8.0)),
    "bedroom": (0.18, (2.6, 4.2), (3.0, 5.5)),
    "kitchen": (0.15, (2.4, 4.2), (2.8, 6.0)),
    "office": (0.25, (2.8, 6.0), (3.5, 8.0)),
    "corridor": (0.06, (1.3, 2.2), (4.0, 9.0)),
    "bathroom": (0.05, (1.9, 3.0), (2.4, 4.0)),
    "store": (0.04, (2.4, 4.5), (3.0, 6.0)),
}


@dataclass(kw_only=True)
class Room:
    """A furnished room, before it has surfaces."""

    kind: str
    floor: Floor
    columns: list[Box] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    surfaces: list[Surface] = field(default_factory=list)
    lamps: list[Placed] = field(default_factory=list)


def make(library: Library, rng: np.random.Generator) -> Room:
    """A room of a random kind."""
    shares = np.array([share for share, _, _ in KINDS.values()])
    kind = str(rng.choice(list(KINDS), p=shares / shares.sum()))
    _, short, long = KINDS[kind]
    sides = [float(rng.uniform(*short)), float(rng.uniform(*long))]
    rng.shuffle(sides)
    height = float(np.clip(rng.normal(2.6, 0.25), 2.25, 3.6))
    floor = Floor(size=(sides[0], height, sides[1]))
    room = Room(kind=kind, floor=floor)
    own = Furnisher(floor, library, rng)
    _columns(room, own)
    room.openings = openings.openings(own)
    count = int(rng.choice([1, 4, 8, 14, 22], p=[0.15, 0.25, 0.3, 0.2, 0.1]))
    _lamps(room, own)
    openings.dress(own, room.openings)
    _furnish(kind, own, count)
    _fill(kind, own, count)
    room.pictures = openings.pictures(own)
    room.surfaces = own.surfaces
    return room


def _columns(room: Room, own: Furnisher) -> None:
    """A chimney breast, a duct or a step in the wall: boxes from the floor to the ceiling."""
    for _ in range(int(own.rng.choice([0, 1, 2], p=[0.6, 0.3, 0.1]))):
        wall, width, depth = int(own.rng.integers(4)), own.uniform(0.2, 1.6), own.uniform(0.1, 0.7)
        length = own.floor.length(wall)
        if room.kind == "corridor" or width > length / 2:
            continue
        middle = own.uniform(width / 2, length - width / 2)
        middle = width / 2 if own.chance(0.6) else middle
        ends = [own.floor.point(wall, middle + k * width / 2, (k + 1) / 2 * depth) for k in (-1, 1)]
        xs, zs = sorted(e[0] for e in ends), sorted(e[1] for e in ends)
        box = Box(low=(xs[0], 0, zs[0]), high=(xs[1], own.floor.size[1], zs[1]))
        room.columns.append(box)
        room.floor.blocked.append(box)


def _lamps(room: Room, own: Furnisher) -> None:
    """Lamps that hang from the ceiling."""
    for _ in range(int(own.rng.choice([0, 1, 2], p=[0.45, 0.4, 0.15]))):
        model = own.pick("ceiling_lamp")
        height = own.floor.size[1]
        if model is None or height - model.size[1] < 1.6:
            continue
        width, _, depth = own.floor.size
        margin = max(model.size[0], model.size[2]) / 2 + 0.2
        if 2 * margin > min(width, depth):
            continue
        place = (
            own.uniform(margin, width - margin),
            height - model.size[1],
            own.uniform(margin, depth - margin),
        )
        thing = Placed(model=model, position=place, angle=own.uniform(0, 3), on=True)
        if own.floor.add(thing):
            room.lamps.append(thing)


def _furnish(kind: str, own: Furnisher, count: int) -> None:
    """The furniture that makes the room what it is; corridors and stores have none."""
    makers = {"living": _living, "bedroom": _bedroom, "kitchen": _kitchen, "office": _office}
    maker = {**makers, "bathroom": groups.bath}.get(kind)
    if maker is not None:
        maker(own, count)


def _living(own: Furnisher, count: int) -> None:
    groups.seats(own, count)
    if own.floor.size[0] * own.floor.size[2] > 16 and own.chance(0.7):
        groups.dining(own, count)
    if own.chance(0.25):
        groups.desk(own, count)


def _bedroom(own: Furnisher, count: int) -> None:
    groups.bed(own, count)
    own.against(own.pick("cupboard"))
    if own.chance(0.4):
        groups.desk(own, count)


def _kitchen(own: Furnisher, count: int) -> None:
    groups.kitchen(own, count)
    if own.chance(0.7):
        groups.dining(own, count)


def _office(own: Furnisher, count: int) -> None:
    for _ in range(max(1, int(own.floor.size[0] * own.floor.size[2] / 7))):
        groups.desk(own, count, free=own.chance(0.4))


# How often each kind of piece is tried in a room that is to be filled up.
_FILLERS = {
    "living": ("shelf", "low_cupboard", "against_wall", "armchair", "shelf", "cupboard"),
    "bedroom": ("low_cupboard", "shelf", "armchair", "cupboard", "chair", "shelf"),
    "kitchen": ("shelf", "stool", "stool", "low_cupboard", "chair"),
    "office": ("shelf", "shelf", "cupboard", "against_wall", "chair", "low_cupboard", "shelf"),
    "corridor": ("low_cupboard", "shelf", "bench", "cupboard"),
    "bathroom": ("stool",),
    "store": (
        "shelf", "shelf", "low_cupboard", "cupboard", "against_wall", "dining_table", "chair",
    ),
}  # fmt: skip
_FREE = {"armchair", "chair", "stool"}


def _fill(kind: str, own: Furnisher, count: int) -> None:
    """More pieces along the walls, then what stands, lies and hangs about."""
    for role in _FILLERS[kind]:
        if own.chance(0.7):
            model = own.pick(role)
            placed = own.free(model) if role in _FREE else own.against(model)
            many = role == "shelf" and own.chance(0.8)
            own.on(placed, groups.SHELF, count * 3 + 12 if many else count)
    for _ in range(int(own.rng.integers(0, 4 + count // 4))):
        own.free(own.pick("floor_thing"), margin=0.05)
    if own.chance(0.12):
        own.free(own.pick("floor_lamp"), margin=0.05)
    if own.chance(0.2):
        own.free(own.pick("standing"))
    for _ in range(int(own.rng.integers(0, 2 + count // 6))):
        own.free(own.pick("small", lambda m: max(m.size) > 0.12), margin=0.05)
    if own.chance(0.4):
        own.free(own.pick("rug"))
