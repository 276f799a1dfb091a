"""Open air: ground, hills, houses, poles, trees, cars and walls under a sky."""

from __future__ import annotations

import math

from monostep.data.procedural.draws import Draws
from monostep.data.procedural.furniture import Parts, ball, block, column, thing
from monostep.data.procedural.look import random_look
from monostep.data.procedural.material import (
    Material,
    anything,
    bricks,
    colour,
    earthy,
    facade,
    lamp,
    plain,
    soil,
    stone,
    wood,
)
from monostep.data.procedural.scene import Scene
from monostep.data.procedural.stage import BOX, Lamp, Point, Pose, Solid, Stage

_GROUND_HALF_M = 3000.0
_SUN_M = 4000.0


def outdoor(draws: Draws, kind: int, focal: float) -> Scene:
    """Return a random street, yard or countryside."""
    stage = Stage(kind=kind)
    ground = soil(draws)
    half = (_GROUND_HALF_M, _GROUND_HALF_M, 0.5)
    stage.put([block((0, 0, -0.5), half, ground)], (0, 0, 0))
    street = draws.chance(0.45)
    if street:
        _street(draws, stage)
    _scatter(draws, stage, ground, crowded=not street)
    _sun(draws, stage)
    look = random_look(draws, ambient=draws.log_uniform(0.12, 0.7), open_air=True)
    height = draws.log_uniform(0.3, 10.0) if draws.chance(0.4) else draws.uniform(1.2, 2.0)
    pose = Pose(
        position_m=(draws.uniform(-1.5, 1.5), 0.0, height),
        yaw_rad=draws.uniform(-0.5, 0.5) if street else draws.uniform(-0.2, 0.2),
        pitch_rad=math.radians(draws.uniform(-16, 12) - 4 * math.log2(1 + height / 3)),
        roll_rad=math.radians(draws.uniform(-6, 6) * draws.unit()),
    )
    return stage.scene(pose, focal, look)


def _street(draws: Draws, stage: Stage) -> None:
    """Put a road along +y with pavements, rows of houses, lamp posts and cars."""
    half_width = draws.uniform(2.5, 6)
    stage.put([block((0, 150, 0.0), (half_width, 200, 0.02), stone(draws))], (0, 0, 0))
    kerb = bricks(draws, 2.0) if draws.chance(0.5) else soil(draws)
    walk = draws.uniform(0.8, 3)
    for side in (-1, 1):
        middle = side * (half_width + walk)
        stage.put([block((middle, 150, 0.0), (walk, 200, 0.14), kerb)], (0, 0, 0))
        y = draws.uniform(-6, 8)
        front = half_width + 2 * walk + draws.uniform(0, 4)
        for _ in range(draws.integer(1, 5)):
            length, depth = draws.uniform(3, 10), draws.uniform(3, 7)
            parts = house(draws, (depth, length, draws.uniform(1.5, 7)))
            stage.put(parts, (side * (front + depth), y + length, 0))
            y += 2 * length + draws.choice((0.0, draws.uniform(0.5, 15)))
        spacing, at = draws.uniform(8, 30), draws.uniform(2, 12)
        post = post_or_tree(draws)
        for number in range(draws.integer(0, 3)):
            stage.put(post, (side * (half_width + 0.5), at + number * spacing, 0.14))
    for _ in range(draws.integer(0, 4)):
        side = draws.choice((-1, 1))
        at = (side * (half_width - 1.1), draws.log_uniform(4, 60), 0.02)
        stage.put(car(draws), at, draws.uniform(-0.05, 0.05))


def _scatter(draws: Draws, stage: Stage, ground: Material, *, crowded: bool) -> None:
    """Put hills far away, and houses, trees, walls, cars and rocks between here and there."""
    for _ in range(draws.integer(0, 3) if draws.chance(0.6) else 0):
        at = _somewhere(draws, 60, 600)
        radius = draws.uniform(0.25, 0.8) * at[1]
        height = radius * draws.uniform(0.15, 0.6)
        cover = ground if draws.chance(0.5) else soil(draws)
        half = (radius * draws.uniform(0.6, 1), radius * 0.7, height)
        stage.put([ball((0, 0, -0.25 * height), half, cover)], at, draws.uniform(0, 3.14))
    for _ in range(draws.integer(2, 12) if crowded else draws.integer(0, 4)):
        make = draws.choice((_house, post_or_tree, post_or_tree, car, _wall, _rock, _rock))
        at = _somewhere(draws, 2.5, 90)
        stage.put(make(draws), at, draws.uniform(-math.pi, math.pi))


def _somewhere(draws: Draws, near_m: float, far_m: float) -> Point:
    """Return a point on the ground in front, nearer ones more often."""
    y = draws.log_uniform(near_m, far_m)
    return y * draws.uniform(-0.8, 0.8), y, 0.0


def house(draws: Draws, half_m: Point) -> Parts:
    """Return a house with this half depth, half length and half height; some have a roof."""
    x, y, z = half_m
    walls = draws.choice((facade, facade, bricks, plain, stone))(draws)
    parts = [block((0, 0, z), half_m, walls)]
    if draws.chance(0.5):
        slope, tiles = draws.uniform(0.35, 0.9), bricks(draws, 1.5)
        run = x / math.cos(slope) / 2 + 0.2
        for side in (-1, 1):
            panel = Solid(
                shape=BOX,
                centre_m=(side * x / 2, 0, 2 * z + x / 2 * math.tan(slope)),
                half_m=(y + 0.3, run, 0.1),
                material=tiles,
                yaw_rad=-side * math.pi / 2,
                tilt_rad=-slope,
            )
            parts.append(panel)
    if draws.chance(0.5):
        for _ in range(draws.integer(1, 3)):
            side = draws.choice((-1, 1))
            at = (side * x, draws.uniform(-0.8, 0.8) * y, draws.uniform(0.3, 0.9) * 2 * z)
            pane = lamp(draws, 0.6) if draws.chance(0.2) else plain(draws)
            parts.append(block(at, (0.05, draws.uniform(0.4, 0.9), 0.6), pane))
    return parts


def _house(draws: Draws) -> Parts:
    return house(draws, (draws.uniform(2, 8), draws.uniform(2, 10), draws.log_uniform(1.2, 15)))


def post_or_tree(draws: Draws) -> Parts:
    """Return a lamp post, a sign or a tree."""
    height = draws.log_uniform(1.5, 9)
    if draws.chance(0.45):
        post = column((0, 0, height / 2), draws.uniform(0.03, 0.12), height / 2, plain(draws))
        size = draws.uniform(0.15, 0.5)
        sign = block((0, -0.1, height), (size, 0.02, size * draws.uniform(0.4, 1)), plain(draws))
        return [post, sign] if draws.chance(0.6) else [post]
    trunk = wood(draws)
    parts = [column((0, 0, height / 3), draws.uniform(0.02, 0.05) * height, height / 3, trunk)]
    leaves = stone(draws)
    green = earthy(draws, (0.15, 0.4), (0.15, 0.6))
    leaves = Material(
        **(vars(leaves) | {"base_r": green[0], "base_g": green[1], "base_b": green[2], "gloss": 0})
    )
    for _ in range(draws.integer(1, 3)):
        size = height * draws.uniform(0.15, 0.3)
        at = (draws.uniform(-1, 1) * size, draws.uniform(-1, 1) * size, height * 0.7)
        parts.append(ball(at, (size, size, size * draws.uniform(0.7, 1.5)), leaves))
    return parts


def car(draws: Draws) -> Parts:
    """Return a car or a van: a body, a cabin and wheels, along y."""
    paint = plain(draws, colour(draws, 1.0))
    glass = plain(draws, (0.03, 0.03, 0.04))
    length, height = draws.uniform(1.8, 2.6), draws.uniform(0.3, 0.45)
    parts = [
        block((0, 0, 0.3 + height), (0.85, length, height), paint),
        block(
            (0, -0.2, 0.3 + 2 * height + 0.25),
            (0.72, length * draws.uniform(0.4, 0.95), 0.3),
            draws.choice((glass, paint)),
        ),
    ]
    for side in (-1, 1):
        for end in (-1, 1):
            wheel = column((0, 0, 0), 0.32, 0.1, glass)
            parts.append(
                Solid(
                    shape=wheel.shape,
                    centre_m=(side * 0.8, end * length * 0.62, 0.32),
                    half_m=wheel.half_m,
                    material=glass,
                    yaw_rad=math.pi / 2,
                    tilt_rad=math.pi / 2,
                )
            )
    return parts


def _wall(draws: Draws) -> Parts:
    half = (draws.uniform(1, 8), draws.uniform(0.05, 0.25), draws.uniform(0.3, 1.2))
    return [block((0, 0, half[2]), half, draws.choice((bricks, wood, stone))(draws))]


def _rock(draws: Draws) -> Parts:
    size = draws.log_uniform(0.15, 1.5)
    if draws.chance(0.5):
        return thing(draws, size)
    return [ball((0, 0, 0), (size, size * draws.uniform(0.5, 1), size * 0.7), anything(draws))]


def _sun(draws: Draws, stage: Stage) -> None:
    """Put the sun up, bright or veiled, and sometimes a weak second light in its stead."""
    azimuth, height = draws.uniform(-math.pi, math.pi), draws.uniform(0.15, 1.4)
    direction = (
        math.sin(azimuth) * math.cos(height),
        math.cos(azimuth) * math.cos(height),
        math.sin(height),
    )
    strength = draws.uniform(0.5, 1.6) if draws.chance(0.75) else draws.uniform(0.0, 0.2)
    warm = draws.uniform(0.6, 1.0)
    stage.lamps.append(
        Lamp(
            position_m=(_SUN_M * direction[0], _SUN_M * direction[1], _SUN_M * direction[2]),
            colour=(strength, strength * (0.5 + 0.5 * warm), strength * warm),
            reference_m=_SUN_M,
        )
    )
