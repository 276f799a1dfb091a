"""In which frame somebody's files of normals are, by the best evidence that there is.

truth    the true normals of a benchmark
depth    normals of depth maps of the same images, by a guessed camera
camera   none of these: visible surfaces face the camera, and most scenes look alike
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.errors import InputError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.frames import files as frame_files
from monostep.evaluation.frames.files import Reading, Stored
from monostep.evaluation.frames.found import Evidence, Found, Measured, conclude, settle
from monostep.evaluation.predictions import meaning as meanings
from monostep.evaluation.predictions.files import assign
from monostep.evaluation.predictions.names import Folders
from monostep.geometry import frame_agreement, frame_facing, frame_guess
from monostep.geometry.depth import Quantity

Map: TypeAlias = Float[Tensor, "3 height width"]
_Reference: TypeAlias = Callable[[Stored, tuple[int, int]], Map]  # small; of a full size

LONG_SIDE = 320  # pixels at which maps are compared: signs need no more


def by_truth(folder: Path, benchmark: Benchmark, *, limit: int) -> Found:
    """Compare with a benchmark's true normals.

    Raises:
        InputError: no image has a prediction that can be compared, or no such folder.
    """
    frame_files.check_folder(folder)
    places = Folders(benchmark.names, benchmark.name)
    found = assign(folder, benchmark.names, task="normals", places=places)
    if not found.files:
        raise InputError(f"{found.problems[benchmark.names[0]]}; nor has any other image one")
    numbers = {name: index for index, name in enumerate(benchmark.names)}
    chosen = frame_files.spread(list(found.files), limit)
    stored = [Stored(path=folder / found.files[name], image=name) for name in chosen]

    def truth(one: Stored, _: tuple[int, int]) -> Map:
        case = benchmark.load(numbers[one.image], image=False)
        if case.normals is None or case.normals_valid is None:
            raise InputError(f"{one.image}: no true normals")
        return _thin(torch.where(case.normals_valid, case.normals, 0))

    return _found("truth", stored, truth)


def by_depth(folder: Path, depth: Path, *, quantity: str | None, limit: int) -> Found:
    """Compare with normals of the depth maps of the same images.

    Maps of which neither user nor file says the quantity are read as depth and as disparity; see
    `frame_found.settle`.

    Raises:
        InputError: no file of normals has a depth map that can be compared, or no such folder.
        SettingError: an unknown quantity.
    """
    meanings.declared({"quantity": quantity}, "depth")
    frame_files.check_folder(depth)
    every = frame_files.of_normals(folder)
    images = [one.image for one in every]
    found = assign(depth, images, task="depth", places=Folders(images, None))
    if not found.files:
        raise InputError(f"{found.problems[images[0]]}; nor has any other file of normals one")
    stored = [one for one in every if one.image in found.files]

    chosen = frame_files.spread(stored, limit)

    def read_as(otherwise: Quantity) -> Found:
        def of_depth(one: Stored, size: tuple[int, int]) -> Map:
            path = depth / found.files[one.image]
            metres, valid = frame_files.read_depth(path, size, quantity, otherwise=otherwise)
            return frame_agreement.normals_of(_thin(metres), _thin(valid))

        return _found("depth", chosen, of_depth)

    as_depth = read_as("depth")
    return as_depth if quantity is not None else settle(as_depth, read_as("disparity"))


def by_camera(folder: Path, *, limit: int) -> Found:
    """Judge normals by themselves.

    Raises:
        InputError: the folder holds no normals that can be read.
    """
    return _found("camera", frame_files.spread(frame_files.of_normals(folder), limit), None)


def _found(
    evidence: Evidence,
    stored: Sequence[Stored],
    reference: _Reference | None,
) -> Found:
    reading = Reading()
    measured = []
    for one in stored:
        try:
            measured.append(_measure(one, reading, reference))
        except InputError as error:
            reading.problems[str(one.path)] = str(error)
    if not measured:
        raise InputError(f"{next(iter(reading.problems.values()))}; so it is with all files")
    return conclude(
        evidence,
        measured,
        said=sorted(reading.said),
        coded=reading.coded,
        problems=reading.problems,
    )


def _measure(one: Stored, reading: Reading, reference: _Reference | None) -> Measured:
    whole = reading.normals(one.path)
    normals = _thin(whole)
    away = frame_facing.away(normals)
    if away is None:
        raise InputError(f"{one.path}: no normals in it")
    outward = frame_facing.outward(normals)
    if reference is None:
        return Measured(away=away, outward=outward)
    other = reference(one, (whole.shape[1], whole.shape[2]))
    if other.shape != normals.shape:
        raise InputError(
            f"{one.path}: {whole.shape[2]} x {whole.shape[1]} pixels, unlike what it is compared "
            "with"
        )
    agreement = frame_agreement.compare(normals, other)
    if agreement is None:
        raise InputError(f"{one.path}: too few pixels to compare")
    both = normals.any(dim=0) & other.any(dim=0)
    angles = frame_guess.mean_angles_deg(normals[:, both], other[:, both])
    return Measured(away=away, outward=outward, angles=angles, agreement=agreement)


def _thin(values: Tensor) -> Tensor:
    """Every so many rows and columns of a map, so that it is small."""
    step = max(1, -(-max(values.shape[-2:]) // LONG_SIDE))
    return values[..., ::step, ::step]
