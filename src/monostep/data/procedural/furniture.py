"""Furniture and other things, each a few solids about an origin on the floor below it."""

from __future__ import annotations

from monostep.data.procedural.draws import Draws
from monostep.data.procedural.material import Material, anything, cloth, plain, poster, stone, wood
from monostep.data.procedural.stage import BOX, CYLINDER, ELLIPSOID, Point, Solid

Parts = list[Solid]


def block(centre_m: Point, half_m: Point, material: Material, yaw_rad: float = 0.0) -> Solid:
    """Return a box standing upright."""
    return Solid(shape=BOX, centre_m=centre_m, half_m=half_m, material=material, yaw_rad=yaw_rad)


def column(centre_m: Point, radius_m: float, half_height_m: float, material: Material) -> Solid:
    """Return an upright cylinder."""
    half = (radius_m, radius_m, half_height_m)
    return Solid(shape=CYLINDER, centre_m=centre_m, half_m=half, material=material)


def ball(centre_m: Point, half_m: Point, material: Material) -> Solid:
    """Return an ellipsoid."""
    return Solid(shape=ELLIPSOID, centre_m=centre_m, half_m=half_m, material=material)


def table(draws: Draws) -> Parts:
    """Return a table or desk, sometimes with something on it."""
    x, y = draws.uniform(0.3, 1.0), draws.uniform(0.25, 0.6)
    height, thick = draws.uniform(0.35, 0.8), draws.uniform(0.01, 0.03)
    wooden = anything(draws) if draws.chance(0.4) else wood(draws)
    top = block((0, 0, height), (x, y, thick), wooden)
    legs = wooden if draws.chance(0.6) else plain(draws)
    if draws.chance(0.3):
        foot = column((0, 0, height / 2), draws.uniform(0.03, 0.12), height / 2 - thick, legs)
        parts = [top, foot]
    else:
        r, half = draws.uniform(0.015, 0.04), (height - thick) / 2
        parts = [top] + [
            block((sx * (x - r), sy * (y - r), half), (r, r, half), legs)
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
    for _ in range(draws.integer(0, 2)):
        at = (draws.uniform(-0.6, 0.6) * x, draws.uniform(-0.6, 0.6) * y, height + thick)
        parts += thing(draws, draws.uniform(0.04, 0.16), at)
    return parts


def chair(draws: Draws) -> Parts:
    """Return a chair: a seat, a back and legs or one foot."""
    x, y, seat = draws.uniform(0.2, 0.28), draws.uniform(0.2, 0.28), draws.uniform(0.38, 0.5)
    material, legs = anything(draws), plain(draws)
    back = draws.uniform(0.2, 0.35)
    tilted = Solid(
        shape=BOX,
        centre_m=(0, y, seat + back),
        half_m=(x, 0.02, back),
        material=material,
        tilt_rad=-draws.uniform(0, 0.25),
    )
    parts = [block((0, 0, seat), (x, y, 0.025), material), tilted]
    if draws.chance(0.4):
        return [*parts, column((0, 0, seat / 2), 0.03, seat / 2, legs)]
    return parts + [
        block((sx * (x - 0.02), sy * (y - 0.02), seat / 2), (0.018, 0.018, seat / 2), legs)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]


def shelf(draws: Draws) -> Parts:
    """Return open shelves with a few things; the back is towards +y."""
    x, y, height = draws.uniform(0.3, 0.9), draws.uniform(0.12, 0.25), draws.uniform(0.6, 2.1)
    material = anything(draws) if draws.chance(0.3) else wood(draws)
    boards = draws.integer(2, 5)
    parts = [block((s * x, 0, height / 2), (0.015, y, height / 2), material) for s in (-1, 1)]
    parts.append(block((0, y, height / 2), (x, 0.01, height / 2), material))
    for level in range(boards + 1):
        z = height * level / boards
        parts.append(block((0, 0, max(z, 0.02)), (x, y, 0.012), material))
        if level < boards and draws.chance(0.6):
            wide, tall = draws.uniform(0.1, 0.45) * x, height / boards * draws.uniform(0.15, 0.4)
            at = (draws.uniform(-0.5, 0.5) * x, 0.0, z + tall)
            parts.append(block(at, (wide, y * 0.7, tall), poster(draws, 0.4)))
    return parts


def cabinet(draws: Draws) -> Parts:
    """Return a closed cupboard, fridge or chest, sometimes with doors of another colour."""
    x, y, z = draws.uniform(0.2, 0.8), draws.uniform(0.18, 0.35), draws.uniform(0.2, 1.0)
    material = anything(draws)
    parts = [block((0, 0, z), (x, y, z), material)]
    if draws.chance(0.5):
        front = anything(draws)
        parts += [
            block((s * x / 2, -y - 0.008, z), (x / 2 - 0.012, 0.008, z - 0.015), front)
            for s in (-1, 1)
        ]
    return parts


def sofa(draws: Draws) -> Parts:
    """Return a sofa, armchair or bed; the back is towards +y."""
    x, y, seat = draws.uniform(0.4, 1.1), draws.uniform(0.35, 0.9), draws.uniform(0.18, 0.25)
    fabric = draws.choice((cloth, stone, plain))(draws)
    parts = [block((0, 0, seat), (x, y, seat), fabric)]
    parts.append(block((0, y, seat * 2), (x, 0.1, seat * draws.uniform(1.2, 2.0)), fabric))
    if draws.chance(0.6):
        parts += [block((s * x, 0, seat * 1.3), (0.1, y, seat * 1.3), fabric) for s in (-1, 1)]
    for _ in range(draws.integer(0, 3)):
        at = (draws.uniform(-0.7, 0.7) * x, y * draws.uniform(0.2, 0.7), seat * 2 + 0.12)
        parts.append(ball(at, (0.22, 0.1, 0.18), cloth(draws)))
    return parts


def plant(draws: Draws) -> Parts:
    """Return a pot plant or a floor lamp: a foot, a stem and ellipsoids."""
    stem, crown = draws.uniform(0.1, 0.7), draws.uniform(0.1, 0.35)
    leaves = stone(draws)
    pot = draws.uniform(0.05, 0.2)
    parts = [
        column((0, 0, pot), draws.uniform(0.6, 1.0) * pot, pot, anything(draws)),
        column((0, 0, pot * 2 + stem / 2), 0.015, stem / 2, wood(draws)),
    ]
    for _ in range(draws.integer(1, 4)):
        size = crown * draws.uniform(0.4, 0.9)
        at = (
            draws.uniform(-0.7, 0.7) * crown,
            draws.uniform(-0.7, 0.7) * crown,
            pot * 2 + stem + draws.uniform(-0.3, 0.7) * crown,
        )
        parts.append(ball(at, (size, size, size * draws.uniform(0.5, 1.2)), leaves))
    return parts


def thing(draws: Draws, size_m: float, at_m: Point = (0.0, 0.0, 0.0)) -> Parts:
    """Return one object of about `size_m` from centre to edge that stands at `at_m`."""
    x, y, z = (size_m * draws.uniform(0.35, 1.0) for _ in range(3))
    shape = draws.choice((BOX, CYLINDER, CYLINDER, ELLIPSOID))
    material = poster(draws, size_m) if draws.chance(0.3) else anything(draws)
    if shape == CYLINDER:
        y = x
    if shape == BOX and draws.chance(0.2):  # lies open or leans: one side of it up
        return [_leaning(draws, (x, y, min(x, y, z) * 0.3), at_m, material)]
    solid = Solid(
        shape=shape,
        centre_m=(at_m[0], at_m[1], at_m[2] + z),
        half_m=(x, y, z),
        material=material,
        yaw_rad=draws.uniform(-3.14, 3.14),
    )
    if shape != CYLINDER or draws.chance(0.5):
        return [solid]
    neck = draws.uniform(0.2, 0.9)  # a bottle, a jar or a lamp shade
    height = z * draws.uniform(0.1, 0.5)
    top = (at_m[0], at_m[1], at_m[2] + 2 * z + height)
    return [solid, column(top, x * neck, height, anything(draws))]


def _leaning(draws: Draws, half_m: Point, at_m: Point, material: Material) -> Solid:
    return Solid(
        shape=BOX,
        centre_m=(at_m[0], at_m[1], at_m[2] + half_m[1] * 0.6),
        half_m=half_m,
        material=material,
        yaw_rad=draws.uniform(-3.14, 3.14),
        tilt_rad=draws.uniform(0.3, 1.2),
    )


FURNITURE = (table, table, chair, chair, shelf, cabinet, cabinet, sofa, plant)
