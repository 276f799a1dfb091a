"""What one image's results become on disk, and whether they are there already."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monostep.errors import InputError, OutputError
from monostep.files import maps, photo, preview
from monostep.files.photo import Photo
from monostep.geometry.normals import Normals
from monostep.predictor import Predictor, Result
from monostep.runner import naming, record
from monostep.runner.inputs import Job
from monostep.runner.record import File, Input, Map, Record
from monostep.runner.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the run makes of every image: the settings, and by task what decides the values."""

    settings: Settings
    made_by: Mapping[str, Mapping[str, Any]]

    def folder(self, job: Job) -> Path:
        """The folder of the job's results."""
        return (self.settings.output / job.stem).parent

    def record(self, job: Job) -> Path:
        """The file of the job's record."""
        return self.settings.output / naming.record(job.stem)

    def files(self, job: Job, task: str) -> dict[str, str]:
        """Names and kinds of the files that a task's result becomes."""
        stem, endings = Path(job.stem).name, self.settings.endings
        return {
            **dict.fromkeys(naming.maps(stem, task, endings), task),
            **dict.fromkeys(naming.previews(stem, task, endings), f"{task} preview"),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """An image that has been read, with all that its record will say about it."""

    job: Job
    photo: Photo
    input: Input


def plan(predictors: Mapping[str, Predictor], settings: Settings) -> Plan:
    """What these models make of every image under these settings."""
    made_by = {task: _made_by(model, settings) for task, model in predictors.items()}
    return Plan(settings=settings, made_by=made_by)


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
        whole = _whole(entry, plan.folder(job)).files
        if not whole.keys() >= plan.files(job, task).keys():
            return None
    return known


def write(picture: Picture, results: Mapping[str, Result], plan: Plan) -> Record:
    """Write the results' files and, last, the record; return the record.

    Maps of other tasks that an earlier run made from the same image stay and stay described. Files
    that an earlier run made in another way are removed: nothing would say what they are.

    Raises:
        OutputError: a file cannot be written.
        MissingExtraError: a format needs an extra package.
    """
    job = picture.job
    path = plan.record(job)
    known = record.read(path, overwrite=plan.settings.overwrite)
    entries = {} if known is None else _kept(known, picture, plan)
    old = set() if known is None else {name for each in known.maps.values() for name in each.files}
    kept = {name for each in entries.values() for name in each.files}
    _remove(path, *(plan.folder(job) / name for name in _ours(old - kept, job)))
    for task, result in results.items():
        made = _write_map(result, task, job, plan)
        earlier = entries[task].files if task in entries else {}
        entries[task] = replace(made, files={**earlier, **made.files})
    written = Record(input=picture.input, maps=entries)
    record.write(path, written)
    return written


def listed(job: Job, known: Record, plan: Plan) -> list[Path]:
    """Paths of the files of the tasks that the plan asks for, and last of the record."""
    names = [name for task in plan.made_by for name in known.maps[task].files]
    return [*(plan.folder(job) / name for name in names), plan.record(job)]


def _made_by(model: Predictor, settings: Settings) -> dict[str, Any]:
    """All that decides the values besides the image; a second run compares it."""
    card = model.card
    return {
        "model": card.name,
        "weights_sha256": card.tensor_hash,
        "resolution": resolution(model, settings),
        "dtype": str(model.dtype).removeprefix("torch."),
        "fit": "pad",
        "steps": card.steps,
        "ensemble": card.ensemble,
        "spacing": card.spacing,
        "noise": card.noise,
        **({"frame": settings.frame} if card.task == "normals" else {}),
    }


def resolution(model: Predictor, settings: Settings) -> int:
    """The long side in pixels at which the model looks; 0 is the image's own."""
    return model.card.resolution if settings.resolution is None else settings.resolution


def _write_map(result: Result, task: str, job: Job, plan: Plan) -> Map:
    if isinstance(result, Normals):
        result = result.to(plan.settings.frame)
        write_values = maps.write_normals
    else:
        write_values = maps.write_depth
    values, about, folder = result.values, result.about(), plan.folder(job)
    files = {}
    for name, kind in plan.files(job, task).items():
        if kind == task:
            write_values(folder / name, values, about)
        else:
            preview.write_png8(folder / name, result.preview())
        files[name] = File(kind=kind, bytes=(folder / name).stat().st_size)
    return Map(about=about, made_by=plan.made_by[task], files=files)


def _kept(known: Record, picture: Picture, plan: Plan) -> dict[str, Map]:
    """Maps of an earlier run that are still true: same image, and made as this run would."""
    if known.input.sha256 != picture.input.sha256:
        return {}
    return {
        task: _whole(entry, plan.folder(picture.job))
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
