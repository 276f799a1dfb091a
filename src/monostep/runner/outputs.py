"""What one image's results become on disk, and whether they are there already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from monostep.errors import InputError, OutputError
from monostep.files import maps, photo, preview
from monostep.files.photo import Photo
from monostep.geometry.normals import Normals
from monostep.results import MapResult
from monostep.runner import naming, record
from monostep.runner.inputs import Job
from monostep.runner.plan import Plan
from monostep.runner.record import File, Input, Map, Record

# What the numbers of an uncertainty map mean.
UNCERTAINTY = {
    "depth": "median absolute deviation of the ensemble's members, in the map's unit",
    "normals": "mean angle between the ensemble's members and their mean, divided by pi",
}

Writer: TypeAlias = Callable[..., None]  # of path, values, description and half


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """An image that has been read, with all that its record will say about it."""

    job: Job
    photo: Photo
    input: Input

    @property
    def pixels(self) -> int:
        """How many it has."""
        return self.input.width * self.input.height


def read(job: Job) -> Picture:
    """The job's image (InputError or MissingExtraError when it cannot be read)."""
    image = photo.read(job.source)
    try:
        facts, digest = job.source.stat(), record.sha256(job.source)
    except OSError as error:
        raise InputError(f"{job.source}: cannot be read any more ({error.strerror})") from error
    height, width = image.pixels.shape[:2]
    known = Input(
        name=job.name,
        bytes=facts.st_size,
        mtime_ns=facts.st_mtime_ns,
        sha256=digest,
        width=width,
        height=height,
        focal_px=image.focal_px,
        changes=image.changes,
    )
    return Picture(job=job, photo=image, input=known)


def complete(job: Job, plan: Plan) -> Record | None:
    """The job's record, if all that the plan asks for is there and whole; else None.

    Raises:
        OutputError: another program's file is where the record should be.
    """
    if plan.settings.overwrite:
        return None
    known = record.read(plan.record(job), overwrite=False)
    if known is None or not record.is_same_input(known.input, job.source):
        return None
    for task, made_by in plan.made_by.items():
        entry = known.maps.get(task)
        if entry is None or entry.made_by != made_by:
            return None
        whole = {(name, file.kind) for name, file in _whole(entry, plan.folder(job)).files.items()}
        if not whole >= {(part.name, part.kind) for part in plan.parts(job, task)}:
            return None
    return known


def write(
    job: Job,
    image: Input,
    results: Mapping[str, MapResult],
    plan: Plan,
    *,
    pause: Callable[[], None] = lambda: None,
) -> Record:
    """Write the results' files and, last, the record; return the record.

    Maps of other tasks that an earlier run made from the same image stay and stay described. Files
    that an earlier run made in another way are removed: nothing would say what they are.

    Args:
        job: whose results they are.
        image: the facts of its image.
        results: by task.
        plan: what is made of them.
        pause: called before each file; may raise to end here.

    Raises:
        OutputError: a file cannot be written.
        MissingExtraError: a format needs an extra package.
    """
    path = plan.record(job)
    known = record.read(path, overwrite=plan.settings.overwrite)
    entries = {} if known is None else _kept(known, job, image, plan)
    old = set() if known is None else {name for each in known.maps.values() for name in each.files}
    kept = {name for each in entries.values() for name in each.files}
    _remove(path, *(plan.folder(job) / name for name in _ours(old - kept, job)))
    for task, result in results.items():
        made = _write_result(result, task, job, plan, pause)
        earlier = entries[task].files if task in entries else {}
        entries[task] = replace(made, files={**earlier, **made.files})
    written = Record(input=image, maps=entries)
    record.write(path, written)
    return written


def listed(job: Job, known: Record, plan: Plan) -> list[Path]:
    """Paths of the files of the tasks that the plan asks for, and last of the record."""
    names = [name for task in plan.made_by for name in known.maps[task].files]
    return [*(plan.folder(job) / name for name in names), plan.record(job)]


def _write_result(
    result: MapResult, task: str, job: Job, plan: Plan, pause: Callable[[], None]
) -> Map:
    if isinstance(result, Normals) and result.frame != plan.settings.frame:
        result = result.to(plan.settings.frame)
    contents, files = _contents(result, task), {}
    for part in plan.parts(job, task):
        pause()
        path = plan.folder(job) / part.name
        if part.holds == "preview":
            preview.write_png8(path, result.preview())
        else:
            write_values, values, about = contents[part.holds]
            write_values(path, values, about, half=part.half)
        files[part.name] = File(kind=part.kind, bytes=path.stat().st_size)
    about = result.about()
    if result.uncertainty is not None:
        about["uncertainty"] = UNCERTAINTY[task]
    return Map(about=about, made_by=plan.made_by[task], files=files)


def _contents(result: MapResult, task: str) -> dict[str, tuple[Writer, np.ndarray, dict[str, Any]]]:
    """How to write the map, and the uncertainty if there is one: function, values, description."""
    write_map = maps.write_normals if isinstance(result, Normals) else maps.write_depth
    contents: dict[str, Any] = {"map": (write_map, result.values, result.about())}
    if result.uncertainty is not None:
        about = {
            "kind": f"{task} uncertainty",
            "meaning": UNCERTAINTY[task],
            "provenance": dict(result.provenance),
        }
        values = result.uncertainty.detach().float().cpu().numpy()
        contents["uncertainty"] = (maps.write_uncertainty, values, about)
    return contents


def _kept(known: Record, job: Job, image: Input, plan: Plan) -> dict[str, Map]:
    """Maps of an earlier run that are still true: same image, and made as this run would."""
    if known.input.sha256 != image.sha256:
        return {}
    return {
        task: _whole(entry, plan.folder(job))
        for task, entry in known.maps.items()
        if plan.made_by.get(task, entry.made_by) == entry.made_by
    }


def _whole(entry: Map, folder: Path) -> Map:
    files = {name: file for name, file in entry.files.items() if file.is_whole(folder / name)}
    return replace(entry, files=files)


def _ours(names: set[str], job: Job) -> list[str]:
    """Those that could be results of this job: a record changed by hand must not delete others."""
    stem = Path(job.stem).name
    return [name for name in names if naming.is_result_of(name, stem)]


def _remove(*paths: Path) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: cannot be replaced ({error.strerror})") from error
