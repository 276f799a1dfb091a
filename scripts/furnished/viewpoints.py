"""Where to take pictures of a room from: over the whole of it, or close over a table."""

from __future__ import annotations

import math

import numpy as np
from scripts.furnished import render
from scripts.furnished.camera import Camera
from scripts.furnished.placing import Box
from scripts.furnished.rooms import Room
from scripts.furnished.scene import Scene
from scripts.furnished.standing import Surface

_TRIES = 60
_CLOSE = 0.25  # share of pictures over tables
_APART_M = 0.15  # from every box


def draw(
    room: Room, scene: Scene, size: tuple[int, int], rng: np.random.Generator
) -> Camera | None:
    """A camera that sees something; None if none was found."""
    tops = [each for each in room.surfaces if each.top() > 0.3]
    close = bool(tops) and rng.random() < _CLOSE * (1.6 if room.kind == "office" else 1.0)
    wanted = float(rng.choice([0.95, 1.5, 2.1], p=[0.35, 0.4, 0.25]))
    for attempt in range(_TRIES):
        if close and attempt < _TRIES // 2:
            camera = _over(tops[rng.integers(len(tops))], room, size, rng)
            least, middle = 0.22, 0.3
        else:
            camera = _across(room, size, rng)
            least = 0.45
            # a small room cannot keep the distance asked for
            middle = wanted if attempt < _TRIES // 2 else 0.95
        if camera is not None and _sees(scene, camera, least, middle):
            return camera
    return None


def _across(room: Room, size: tuple[int, int], rng: np.random.Generator) -> Camera | None:
    """From where a person, or a camera on furniture, might be; towards something."""
    width, height, depth = room.floor.size
    low = rng.random() < 0.15
    eye = rng.uniform(0.6, 1.1) if low else float(np.clip(rng.normal(1.5, 0.25), 0.9, 2.2))
    place = np.array([rng.uniform(0.2, width - 0.2), eye, rng.uniform(0.2, depth - 0.2)])
    if rng.random() < 0.5:  # backed up to a wall, as one does to get the room into the picture
        side, axis = int(rng.integers(2)), int(rng.choice([0, 2]))
        off = rng.uniform(0.2, 0.7)
        place[axis] = off if side else room.floor.size[axis] - off
    if eye > height - 0.15 or not _empty(room, place):
        return None
    if room.floor.placed and rng.random() < 0.75:
        thing = room.floor.placed[rng.integers(len(room.floor.placed))]
        way = np.add(thing.position, (0, thing.size[1] / 2, 0)) - place
    else:
        way = (
            np.array([rng.uniform(0, width), rng.uniform(0.2, 1.6), rng.uniform(0, depth)]) - place
        )
    flat = math.hypot(way[0], way[2])
    if flat < 0.7:
        return None
    pitch = math.atan2(way[1], flat) * rng.uniform(0.4, 1.0) + rng.normal(0, 0.08)
    return _camera(place, math.atan2(way[0], way[2]), pitch, size, rng)


def _over(
    surface: Surface, room: Room, size: tuple[int, int], rng: np.random.Generator
) -> Camera | None:
    """From 0.4 to 1.2 m above and beside the top of a table."""
    thing, top = surface.under, surface.top()
    half = min(thing.size[0], thing.size[2]) * 0.3
    aside = (rng.uniform(-half, half), 0, rng.uniform(-half, half))
    target = np.add(thing.position, aside)
    target[1] = top + rng.uniform(0, 0.1)
    far, steep = rng.uniform(0.4, 1.2), math.radians(rng.uniform(15, 62))
    around = rng.uniform(0, 2 * math.pi)
    offset = np.array([math.sin(around), 0, math.cos(around)]) * math.cos(steep) * far
    place = target + offset + [0, math.sin(steep) * far, 0]
    width, height, depth = room.floor.size
    inside = 0.1 < place[0] < width - 0.1 and 0.1 < place[2] < depth - 0.1
    if not inside or place[1] > height - 0.1 or not _empty(room, place):
        return None
    way = target - place
    pitch = math.atan2(way[1], math.hypot(way[0], way[2])) + rng.normal(0, 0.05)
    return _camera(place, math.atan2(way[0], way[2]), pitch, size, rng, steepest=-62)


def _camera(
    place: np.ndarray,
    yaw: float,
    pitch: float,
    size: tuple[int, int],
    rng: np.random.Generator,
    steepest: float = -50,
) -> Camera:
    return Camera.looking(
        place,
        yaw=yaw + rng.normal(0, 0.15),
        pitch=float(np.clip(pitch, math.radians(steepest), math.radians(10))),
        roll=math.radians(float(np.clip(rng.normal(0, 2.2), -6, 6))),
        view=math.radians(rng.uniform(45, 85)),
        size=size,
    )


def _empty(room: Room, place: np.ndarray) -> bool:
    """Whether a camera there is in no box; rays judge what is in front of it."""
    x, y, z = (float(each) for each in place)
    own = Box(
        low=(x - _APART_M, y - _APART_M, z - _APART_M),
        high=(x + _APART_M, y + _APART_M, z + _APART_M),
    )
    things = (each.box for each in room.floor.placed)
    return not any(own.overlaps(each) for each in (*things, *room.columns))


def _sees(scene: Scene, camera: Camera, least_m: float, middle_m: float) -> bool:
    """Whether little is very near, nothing is open, and it is not one bare wall."""
    seen = render.depth(scene, camera, 8)
    near = np.percentile(seen, 4)
    spread = np.percentile(seen, 95) / max(np.percentile(seen, 5), 1e-6)
    return bool(
        np.isfinite(seen).all() and near > least_m and np.median(seen) > middle_m and spread > 1.5
    )
