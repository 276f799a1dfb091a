"""Rooms: walls, doors, pictures, furniture along the walls and in the middle, lamps."""

from __future__ import annotations

import math

from monostep.data.procedural.draws import Draws
from monostep.data.procedural.furniture import FURNITURE, ball, block, column, thing
from monostep.data.procedural.look import random_look
from monostep.data.procedural.material import (
    Material,
    anything,
    bricks,
    cloth,
    lamp,
    plain,
    poster,
    stone,
    wood,
)
from monostep.data.procedural.scene import Scene
from monostep.data.procedural.stage import ROOM, Lamp, Point, Pose, Solid, Stage

_QUARTER = math.pi / 2


def indoor(draws: Draws, kind: int, focal: float) -> Scene:
    """Return a random room seen from inside."""
    stage = Stage(kind=kind)
    half_x, half_y = draws.uniform(1.25, 5.0), draws.uniform(1.25, 5.0)
    height = draws.uniform(2.2, 3.4) if draws.chance(0.85) else draws.uniform(3.4, 5.0)
    stage.solids.append(_shell(draws, (half_x, half_y, height / 2)))
    _hang_on_walls(draws, stage, (half_x, half_y, height))
    _furnish(draws, stage, (half_x, half_y, height))
    _light(draws, stage, (half_x, half_y, height))
    look = random_look(draws, ambient=draws.log_uniform(0.1, 0.6), open_air=False)
    return stage.scene(_stand(draws, (half_x, half_y, height)), focal, look)


def _shell(draws: Draws, half: Point) -> Solid:
    wall = draws.choice((plain, plain, plain, stone, cloth, bricks, wood))(draws)
    accent = anything(draws) if draws.chance(0.3) else wall
    floor = draws.choice((wood, wood, bricks, stone, stone, plain, cloth))(draws)
    ceiling = plain(draws, (0.8, 0.8, 0.78)) if draws.chance(0.7) else anything(draws)
    return Solid(
        shape=ROOM,
        centre_m=(0.0, 0.0, half[2]),
        half_m=half,
        material=wall,
        faces=(wall, accent, wall, wall, floor, ceiling),
    )


def _walls(room: Point) -> list[tuple[float, float, float]]:
    """Return for each wall the yaw that turns +y to it, its distance and its half length."""
    half_x, half_y, _ = room
    return [
        (0.0, half_y, half_x),
        (_QUARTER, half_x, half_y),
        (-_QUARTER, half_x, half_y),
        (2 * _QUARTER, half_y, half_x),
    ]


def _hang_on_walls(draws: Draws, stage: Stage, room: Point) -> None:
    """Put pictures, doors, windows and skirting on the walls."""
    skirting = plain(draws) if draws.chance(0.5) else None
    for yaw, distance, length in _walls(room):
        if skirting:
            board = block((0, distance, 0.05), (length, 0.012, 0.05), skirting)
            stage.put([board], (0, 0, 0), yaw)
        for _ in range(draws.integer(0, 2)):
            half_w = draws.log_uniform(0.15, 0.9)
            half_h = half_w * draws.log_uniform(0.6, 1.6)
            at = draws.uniform(-1, 1) * max(0.0, length - half_w)
            middle = min(max(draws.uniform(1.2, 1.9), half_h), room[2] - half_h)
            frame, picture = anything(draws), _picture(draws, half_w)
            rim = draws.uniform(0.01, 0.06)
            parts = [
                block((at, distance, middle), (half_w + rim, 0.02, half_h + rim), frame),
                block((at, distance, middle), (half_w, 0.025, half_h), picture),
            ]
            stage.put(parts, (0, 0, 0), yaw)
        if draws.chance(0.3):
            at = draws.uniform(-0.8, 0.8) * length
            door = block((at, distance, 1.0), (0.42, 0.03, 1.0), draws.choice((wood, plain))(draws))
            frame = block((at, distance, 1.03), (0.5, 0.02, 1.05), plain(draws))
            stage.put([door, frame], (0, 0, 0), yaw)


def _picture(draws: Draws, half_width_m: float) -> Material:
    if draws.chance(0.25):
        return lamp(draws, draws.uniform(0.8, 3.0))  # a window or a screen
    return poster(draws, half_width_m)


def _furnish(draws: Draws, stage: Stage, room: Point) -> None:
    """Put furniture along the walls and in the middle, and clutter on the floor."""
    walls = _walls(room)
    for _ in range(draws.integer(1, 6)):
        yaw, distance, length = draws.choice(walls)
        parts = draws.choice(FURNITURE)(draws)
        gap = draws.uniform(0.25, 0.6)
        x, y = draws.uniform(-0.9, 0.9) * length, distance - gap
        c, s = math.cos(yaw), math.sin(yaw)
        stage.put(parts, (c * x - s * y, s * x + c * y, 0.0), yaw + draws.uniform(-0.05, 0.05))
    for _ in range(draws.integer(0, 4)):
        at = (draws.uniform(-0.7, 0.7) * room[0], draws.uniform(-0.7, 0.7) * room[1], 0.0)
        stage.put(draws.choice(FURNITURE)(draws), at, draws.uniform(-math.pi, math.pi))
    for _ in range(draws.integer(0, 4)):
        at = (draws.uniform(-0.9, 0.9) * room[0], draws.uniform(-0.9, 0.9) * room[1], 0.0)
        stage.put(thing(draws, draws.log_uniform(0.06, 0.4)), at)
    if draws.chance(0.3):
        half = (draws.uniform(0.5, 1.5), draws.uniform(0.4, 1.2), 0.008)
        rug = block((0, 0, 0.008), half, draws.choice((cloth, stone))(draws))
        stage.put([rug], (0, 0, 0), draws.choice((0.0, draws.uniform(0, 3.14))))
    if draws.chance(0.2):
        at = (draws.uniform(-0.8, 0.8) * room[0], draws.uniform(-0.8, 0.8) * room[1], 0.0)
        radius = draws.uniform(0.1, 0.25)
        stage.put([column((0, 0, room[2] / 2), radius, room[2] / 2, anything(draws))], at)
    if draws.chance(0.25):
        half = (draws.uniform(0.5, 1.6), draws.uniform(0.04, 0.12), room[2] / 2)
        side = draws.choice((-1, 1)) * (room[0] - half[0])
        wall = block((side, draws.uniform(-0.7, 0.7) * room[1], half[2]), half, anything(draws))
        stage.put([wall], (0, 0, 0))


def _light(draws: Draws, stage: Stage, room: Point) -> None:
    """Hang one or two lamps, or let the light of a window in from a side."""
    for _ in range(draws.choice((1, 2, 2))):
        drop = draws.uniform(0.1, 0.7)
        x, y = draws.uniform(-0.8, 0.8) * room[0], draws.uniform(-0.8, 0.8) * room[1]
        z = room[2] - drop if draws.chance(0.7) else draws.uniform(0.8, room[2] - 0.1)
        warm = draws.uniform(0.45, 1.1)
        strength = draws.log_uniform(0.3, 1.5)
        colour = (strength, strength * (0.5 + 0.5 * warm), strength * warm)
        stage.lamps.append(Lamp(position_m=(x, y, z), colour=colour, reference_m=2.0))
        if draws.chance(0.5):
            # above the light, so that its own shade does not shadow the room
            radius = draws.uniform(0.06, 0.2)
            shade = ball((x, y, z + radius + 0.02), (radius, radius, radius * 0.6), lamp(draws, 4))
            stage.put([shade], (0, 0, 0))


def _stand(draws: Draws, room: Point) -> Pose:
    """Return a pose inside the room that looks across it."""
    x = draws.uniform(-1, 1) * (room[0] - 0.4)
    y = draws.uniform(-1, 1) * (room[1] - 0.4)
    z = draws.uniform(0.4, min(2.2, room[2] - 0.3))
    target = (draws.uniform(-0.6, 0.6) * room[0], draws.uniform(-0.6, 0.6) * room[1])
    across = math.atan2(target[0] - x, target[1] - y)
    return Pose(
        position_m=(x, y, z),
        yaw_rad=across + draws.uniform(-0.4, 0.4),
        pitch_rad=math.radians(draws.uniform(-32, 12) - 8 * (z - 1.3)),
        roll_rad=math.radians(draws.uniform(-6, 6) * draws.unit()),
    )
