"""Rooms as files: a folder for each room with its frames, and one manifest over all of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scripts.furnished import photographs, render, rooms, scene, sensor, viewpoints
from scripts.furnished.camera import Camera
from scripts.furnished.library import Library
from scripts.furnished.rooms import Room
from scripts.furnished.scene import Scene

from monostep.data import manifest
from monostep.data.manifest import Declaration, Row

FRAMES = 10  # of each room
_DONE = "room.json"
_EVERY = 33  # one room in so many is for validation


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be rendered."""

    out: Path
    furniture: Path
    seed: int
    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture with its truth and its camera."""

    image: np.ndarray
    picture: render.Picture
    camera: Camera


def furnished(library: Library, seed: int, number: int) -> tuple[Room, Scene, np.random.Generator]:
    """Room `number` of the seed, and the generator that its pictures go on with."""
    rng = np.random.default_rng([seed, number])
    room = rooms.make(library, rng)
    return room, scene.make(room, photographs.load(), rng), rng


def frames(library: Library, job: Job, number: int) -> tuple[Room, list[Frame]]:
    """The pictures of a room; fewer where no camera has a view."""
    room, made, rng = furnished(library, job.seed, number)
    taken = []
    for _ in range(FRAMES):
        camera = viewpoints.draw(room, made, job.size, rng)
        if camera is not None:
            picture = render.render(made, camera, rng)
            image = sensor.photograph(picture.light, rng)
            taken.append(Frame(image=image, picture=picture, camera=camera))
    return room, taken


def write(library: Library, job: Job, number: int) -> int:
    """Render a room unless it is there; returns how many of its frames there are."""
    folder = place(job.out, number)
    about = folder / _DONE
    if about.is_file():
        return len(json.loads(about.read_text())["frames"])
    room, taken = frames(library, job, number)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([job.seed, number, 1])
    for index, frame in enumerate(taken):
        quality = int(rng.integers(85, 96))
        Image.fromarray(frame.image).save(folder / f"{index}.jpg", quality=quality)
        np.save(folder / f"{index}.depth.npy", frame.picture.depth_m.astype(np.float16))
        np.save(folder / f"{index}.normals.npy", frame.picture.normals.astype(np.float16))
    told = {
        "kind": room.kind,
        "seed": job.seed,
        "size": job.size,
        "frames": [list(frame.camera.intrinsics()) for frame in taken],
        "models": sorted({each.model.key for each in room.floor.placed}),
    }
    # last: its presence says that the room is whole
    temporary = folder / f"{_DONE}.tmp"
    temporary.write_text(json.dumps(told))
    temporary.replace(about)
    return len(taken)


def place(out: Path, number: int) -> Path:
    """The folder of a room."""
    return out / "rooms" / f"{number // 100:03d}" / f"{number:05d}"


def collect(out: Path, library: Library, numbers: Iterable[int], most: int) -> int:
    """Write the manifest and the credits of the rooms that are whole; returns its rows."""
    rows: list[Row] = []
    used: set[str] = set()
    for number in numbers:
        folder = place(out, number)
        if len(rows) >= most or not (folder / _DONE).is_file():
            continue
        told = json.loads((folder / _DONE).read_text())
        used.update(told["models"])
        rows += [_row(folder, number, k, at) for k, at in enumerate(told["frames"])]
    rows = rows[:most]
    if rows:
        manifest.write(out / "manifest.jsonl", Declaration(name="furnished-rooms"), rows)
        _credits(out, library, used)
    return len(rows)


def _row(folder: Path, number: int, index: int, intrinsics: list[float]) -> Row:
    fx, fy, cx, cy = intrinsics
    return Row(
        image=folder / f"{index}.jpg",
        depth=folder / f"{index}.depth.npy",
        normals=folder / f"{index}.normals.npy",
        intrinsics_px=(fx, fy, cx, cy),
        split="validation" if number % _EVERY == _EVERY - 1 else "train",
        kind="indoor",
    )


def _credits(out: Path, library: Library, used: set[str]) -> None:
    lines = ["Models of the Debian package sweethome3d-furniture, resized and repainted.", ""]
    for key in sorted(used & set(library.models)):
        model = library.models[key]
        lines.append(f"{key}: {model.name}, by {model.creator}. {model.licence}")
    temporary = out / "CREDITS.tmp"
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(temporary, out / "CREDITS.txt")  # noqa: PTH105
