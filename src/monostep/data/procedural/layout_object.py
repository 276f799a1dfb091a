"""Close-ups: a few objects on a table or on the ground, with or without a wall behind."""

from __future__ import annotations

import math

from monostep.data.procedural.draws import Draws
from monostep.data.procedural.furniture import block, thing
from monostep.data.procedural.look import random_look
from monostep.data.procedural.material import anything, cloth, plain, soil, stone, wood
from monostep.data.procedural.scene import Scene
from monostep.data.procedural.stage import Lamp, Pose, Stage


def close_up(draws: Draws, kind: int, focal: float) -> Scene:
    """Return one to six objects seen from near by."""
    stage = Stage(kind=kind)
    distance = draws.log_uniform(0.35, 2.2)
    _background(draws, stage, distance)
    for _ in range(draws.integer(1, 6)):
        spread = 0.45 * distance
        at = (draws.uniform(-spread, spread), draws.uniform(-spread, spread) * 0.9, 0.0)
        stage.put(thing(draws, distance * draws.log_uniform(0.06, 0.22)), at)
    _lamps(draws, stage, distance)
    look = random_look(draws, ambient=draws.log_uniform(0.08, 0.6), open_air=False)
    return stage.scene(_pose(draws, distance), focal, look)


def _background(draws: Draws, stage: Stage, distance: float) -> None:
    top = draws.choice((wood, wood, plain, stone, cloth, soil))(draws)
    edge = 50.0 if draws.chance(0.7) else distance * draws.uniform(0.6, 1.2)
    stage.put([block((0, 0, -0.02), (edge, edge, 0.02), top)], (0, 0, 0), draws.uniform(-3, 3))
    if edge < 50.0:
        floor = draws.uniform(0.3, 0.9)
        stage.put([block((0, 0, -floor - 0.5), (50, 50, 0.5), anything(draws))], (0, 0, 0))
    if draws.chance(0.6):
        away = distance * draws.uniform(0.6, 2.5)
        wall = block((0, away, 0), (50, 0.05, 30), anything(draws))
        stage.put([wall], (0, 0, 0), draws.uniform(-0.5, 0.5))


def _lamps(draws: Draws, stage: Stage, distance: float) -> None:
    for _ in range(draws.choice((1, 1, 2))):
        azimuth, height = draws.uniform(-math.pi, math.pi), draws.uniform(0.3, 1.4)
        away = distance * draws.log_uniform(1.0, 4.0)
        warm, strength = draws.uniform(0.5, 1.1), draws.log_uniform(0.3, 1.5)
        stage.lamps.append(
            Lamp(
                position_m=(
                    away * math.cos(height) * math.sin(azimuth),
                    away * math.cos(height) * min(math.cos(azimuth), 0.2),
                    away * math.sin(height),
                ),
                colour=(strength, strength * (0.5 + 0.5 * warm), strength * warm),
                reference_m=away,
            )
        )


def _pose(draws: Draws, distance: float) -> Pose:
    """Return a pose that looks down at the objects from `distance` metres."""
    down = math.radians(draws.uniform(5, 70))
    yaw = draws.uniform(-0.4, 0.4)
    back = distance * math.cos(down)
    return Pose(
        position_m=(-back * math.sin(yaw), -back * math.cos(yaw), distance * math.sin(down)),
        yaw_rad=yaw + draws.uniform(-0.15, 0.15),
        pitch_rad=-down + draws.uniform(-0.1, 0.15),
        roll_rad=math.radians(draws.uniform(-12, 12) * draws.unit()),
    )
