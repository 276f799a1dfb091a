"""What walls have: doors, windows, passages and pictures."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.furnished.furnisher import Furnisher
from scripts.furnished.library import Model
from scripts.furnished.placing import Box, Placed


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A rectangular hole in a wall, closed at `depth` metres by a pane, a door or a wall."""

    wall: int
    along: float  # of its middle, metres
    sill: float
    width: float
    height: float
    depth: float
    what: str  # window, door or passage


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A thin box on a wall."""

    wall: int
    along: float
    sill: float
    width: float
    height: float


def openings(own: Furnisher) -> list[Opening]:
    """Doors and windows, with the floor in front of doors kept free."""
    found: list[Opening] = []
    for _ in range(int(own.rng.choice([0, 1, 2], p=[0.15, 0.65, 0.2]))):
        deep = own.chance(0.25)
        _try(own, found, _door(own, deep=deep))
    for _ in range(int(own.rng.choice([0, 1, 2, 3], p=[0.25, 0.35, 0.25, 0.15]))):
        _try(own, found, _window(own))
    return found


def _door(own: Furnisher, *, deep: bool) -> Opening:
    wall, width = int(own.rng.integers(4)), own.uniform(0.72, 1.05)
    return Opening(
        wall=wall,
        along=_along(own, wall, width + 0.2),
        sill=0.0,
        width=width,
        height=min(own.uniform(1.95, 2.15), own.floor.size[1] - 0.12),
        depth=own.uniform(1.0, 3.0) if deep else own.uniform(0.02, 0.12),
        what="passage" if deep else "door",
    )


def _window(own: Furnisher) -> Opening:
    wall, french = int(own.rng.integers(4)), own.chance(0.2)
    width = min(own.uniform(0.6, 2.6), own.floor.length(wall) - 0.4)
    sill = 0.05 if french else own.uniform(0.6, 1.2)
    top = own.floor.size[1] - own.uniform(0.1, 0.5)
    return Opening(
        wall=wall,
        along=_along(own, wall, width + 0.1),
        sill=sill,
        width=width,
        height=top - sill,
        depth=own.uniform(0.05, 0.3),
        what="window",
    )


def _along(own: Furnisher, wall: int, width: float) -> float:
    length = own.floor.length(wall)
    return own.uniform(width / 2, length - width / 2) if width < length else length / 2


def _try(own: Furnisher, found: list[Opening], opening: Opening) -> None:
    """Keep the opening if it is on its wall, off the others, and in front of no column."""
    length = own.floor.length(opening.wall)
    half = opening.width / 2 + 0.05
    if opening.along - half < 0 or opening.along + half > length or opening.height < 0.4:
        return
    near = (each for each in found if each.wall == opening.wall)
    if any(abs(e.along - opening.along) < (e.width + opening.width) / 2 + 0.15 for e in near):
        return
    reach = 0.75 if opening.sill == 0 else 0.12
    box = _front(own, opening, reach)
    if any(box.overlaps(each) for each in own.floor.blocked):
        return
    own.floor.blocked.append(box)
    found.append(opening)


def _front(own: Furnisher, at: Opening | Picture, reach: float) -> Box:
    """The room in front of a part of a wall."""
    ends = [
        own.floor.point(at.wall, at.along + side * at.width / 2, off)
        for side, off in ((-1, 0.0), (1, reach))
    ]
    xs, zs = sorted(e[0] for e in ends), sorted(e[1] for e in ends)
    return Box(low=(xs[0], at.sill, zs[0]), high=(xs[1], at.sill + at.height, zs[1]))


def pictures(own: Furnisher) -> list[Picture]:
    """Pictures where walls are free."""
    found: list[Picture] = []
    for _ in range(int(own.rng.choice([0, 2, 4, 8], p=[0.3, 0.3, 0.25, 0.15]))):
        wall, width = int(own.rng.integers(4)), own.uniform(0.2, 1.2)
        height = width * own.uniform(0.6, 1.5)
        sill = own.uniform(1.1, 1.6) - height / 4
        if width > own.floor.length(wall) - 0.2 or sill + height > own.floor.size[1] - 0.1:
            continue
        picture = Picture(
            wall=wall, along=_along(own, wall, width), sill=sill, width=width, height=height
        )
        box = _front(own, picture, 0.05)
        if own.floor.free(box):
            found.append(picture)
            own.floor.blocked.append(box)
    return found


def dress(own: Furnisher, holes: list[Opening]) -> None:
    """Curtains beside windows and radiators below them."""
    for hole in holes:
        if hole.what != "window":
            continue
        radiator = own.pick("radiator", lambda m, sill=hole.sill: m.size[1] < sill)
        if radiator is not None and own.chance(0.5):
            wide = min(1.0, hole.width / radiator.size[0])
            scale = (wide, 1.0, 1.0)
            own.against(radiator, hole.wall, along=hole.along, gap=0.03, scale=scale)
        curtain = own.pick("curtain")
        if curtain is not None and own.chance(0.45):
            _curtains(own, hole, curtain)


def _curtains(own: Furnisher, hole: Opening, curtain: Model) -> None:
    """On both sides or on one; they may hang in front of the panes."""
    wide, top = own.uniform(0.15, 0.45) * hole.width, hole.sill + hole.height + 0.08
    long = own.chance(0.6) or hole.sill < 0.3
    low = 0.03 if long else max(0.03, hole.sill - 0.1)
    scale = (wide / curtain.size[0], (top - low) / curtain.size[1], own.uniform(1.0, 2.0))
    for side in (-1, 1):
        off = 0.03 + curtain.size[2] * scale[2] / 2
        along = hole.along + side * hole.width / 2 - side * wide * own.uniform(-0.4, 0.4)
        x, z = own.floor.point(hole.wall, along, off)
        angle = own.floor.angle(hole.wall)
        thing = Placed(model=curtain, position=(x, low, z), angle=angle, scale=scale, on=True)
        things = (each.box for each in own.floor.placed)
        if _inside(own, thing.box) and not any(thing.box.overlaps(each) for each in things):
            own.floor.placed.append(thing)


def _inside(own: Furnisher, box: Box) -> bool:
    return all(box.low[k] >= 0 and box.high[k] <= own.floor.size[k] for k in range(3))
