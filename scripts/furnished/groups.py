"""Pieces of furniture that belong together: a table and its chairs, a bed and its lamps."""

from __future__ import annotations

import math

from scripts.furnished.furnisher import Furnisher
from scripts.furnished.library import Model
from scripts.furnished.placing import Placed

TABLE = ("Kitchen", "Living room", "Miscellaneous")
DESK = ("Office", "Office", "Miscellaneous", "Living room")
SHELF = ("Living room", "Bedroom", "Miscellaneous", "Office", "Lights")


def dining(own: Furnisher, count: int) -> Placed | None:
    """A table, chairs of one kind around it, and things on it."""
    group = own.group()
    table = own.free(own.pick("dining_table", _plain), margin=0.4, group=group)
    if table is None:
        return None
    chair = own.pick("chair")
    for side in range(4):
        _chairs(own, table, chair, side, group)
    own.on(table, TABLE, count)
    return table


def _plain(model: Model) -> bool:
    return model.size[0] < 2.6 and model.size[1] < 0.9


def _chairs(own: Furnisher, table: Placed, chair: Model | None, side: int, group: int) -> None:
    """Those along one side of the table; some are pulled out, turned or missing."""
    width, _, depth = table.size
    length, across = (width, depth) if side % 2 == 0 else (depth, width)
    if chair is None or (length < 0.9 and own.chance(0.3)):
        return
    count = max(1, int(length / 0.62)) if side % 2 == 0 else 1
    scale = own.vary(chair, 0.05)
    for number in range(count):
        if own.chance(0.12):
            continue
        along = (number + 0.5) / count * length - length / 2 + own.uniform(-0.04, 0.04)
        out = across / 2 + chair.size[2] * own.uniform(0.15, 0.5) + own.uniform(0, 0.1)
        if own.chance(0.2):
            out += own.uniform(0.1, 0.5)
        right, front = ((along, -out), (out, along), (-along, out), (-out, -along))[side]
        turn = (0.0, -math.pi / 2, math.pi, math.pi / 2)[side] + float(own.rng.normal(0, 0.12))
        own.beside(chair, table, right, front, turn=turn, group=group, **scale)


def desk(own: Furnisher, count: int, *, free: bool = False) -> Placed | None:
    """A desk with a chair, a computer, a lamp and paper work."""
    group = own.group()
    model = own.pick("desk")
    table = own.free(model, margin=0.3, group=group) if free else own.against(model, group=group)
    if table is None:
        return None
    depth = table.size[2]
    chair = own.pick("office_chair") if own.chance(0.8) else own.pick("chair")
    if chair is not None and own.chance(0.9):
        front = depth / 2 + chair.size[2] * own.uniform(0.1, 0.7)
        turn = math.pi + float(own.rng.normal(0, 0.35))
        own.beside(chair, table, own.uniform(-0.2, 0.2), front, turn=turn, group=group)
    surface = own.surface(table)
    computer = own.pick("computer")
    if surface is not None and computer is not None and own.chance(0.8):
        surface.place(computer, own.floor, own.rng)
    lamp = own.pick("small", lambda m: m.name == "Desk lamp")
    if surface is not None and lamp is not None and own.chance(0.5):
        surface.place(lamp, own.floor, own.rng)
    own.on(table, DESK, count)
    return table


def seats(own: Furnisher, count: int) -> None:
    """A sofa, a low table and a rug in front, armchairs, and a television across."""
    sofa = own.against(own.pick("sofa"), gap=own.uniform(0, 0.3) if own.chance(0.3) else None)
    if sofa is None:
        return
    depth = sofa.size[2]
    low = own.pick("coffee_table")
    if low is not None and own.chance(0.85):
        front = depth / 2 + low.size[2] / 2 + own.uniform(0.25, 0.6)
        table = own.beside(low, sofa, own.uniform(-0.3, 0.3), front)
        own.on(table, TABLE, count)
    for side in (-1, 1):
        seat = own.pick("armchair")
        if seat is not None and own.chance(0.5):
            right = side * own.uniform(0.9, 1.8)
            front = depth / 2 + own.uniform(0.8, 1.8)
            turn = -side * math.pi / 2 + own.uniform(-0.5, 0.5)
            own.beside(seat, sofa, right, front, turn=turn)
    if own.chance(0.6):
        television(own, count)


def television(own: Furnisher, count: int) -> None:
    """A stand with a television, or one on the wall."""
    if own.chance(0.3):
        own.against(own.pick("wall_tv"), elevation=own.uniform(0.9, 1.3), gap=0.0)
        return
    stand = own.against(own.pick("tv_stand") if own.chance(0.5) else own.pick("low_cupboard"))
    surface, model = own.surface(stand), own.pick("tv")
    if surface is not None and model is not None:
        surface.place(model, own.floor, own.rng)
    own.on(stand, SHELF, count // 2)


def bed(own: Furnisher, count: int) -> None:
    """A bed with its head to a wall, and small tables beside it."""
    placed = own.against(own.pick("bed"))
    if placed is None:
        return
    width, _, depth = placed.size
    for side in (-1, 1):
        model = own.pick("bedside")
        if model is None or own.chance(0.3):
            continue
        right = side * (width / 2 + model.size[0] / 2 + own.uniform(0.02, 0.15))
        table = own.beside(model, placed, right, model.size[2] / 2 - depth / 2 + 0.03)
        own.on(table, ("Bedroom", "Lights"), max(1, count // 3))


def kitchen(own: Furnisher, count: int) -> None:
    """Counters side by side along a wall, cupboards above, things on top, a fridge at the end."""
    wall = int(own.rng.integers(4))
    along, length = own.uniform(0, 0.5), own.floor.length(wall)
    style = own.pick("counter")
    while style is not None and along < length - 0.4:
        model = style if own.chance(0.6) else own.pick("counter")
        model = own.pick("tall_kitchen") if own.chance(0.15) else model
        if model is None:
            break
        plain = {"scale": (1.0, 1.0, 1.0), "gap": 0.0}
        placed = own.against(model, wall, along=along + model.size[0] / 2, **plain)
        own.on(placed, ("Kitchen",), count if own.chance(0.7) else 1)
        upper = own.pick("upper_cabinet")
        if placed is not None and upper is not None and own.chance(0.6):
            own.against(
                upper, wall, along=along + model.size[0] / 2, elevation=upper.elevation, **plain
            )
        along += model.size[0] + 0.003
        if own.chance(0.04):
            along += own.uniform(0.3, 0.8)


def bath(own: Furnisher, count: int) -> None:
    """What a bathroom has."""
    for role in ("bath", "toilet", "vanity", "toilet"):
        model = own.pick(role)
        if model is not None and own.chance(0.85):
            placed = own.against(model, elevation=model.elevation, gap=0.0)
            own.on(placed, ("Bathroom",), count)
