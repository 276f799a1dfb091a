"""The predictor over many files, as a stream: memory does not grow with their number."""

import errno
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from monostep.errors import InputError, MissingExtraError, OutputError
from monostep.predictor import Predictor
from monostep.runner import batch, outputs
from monostep.runner.batch import Prediction
from monostep.runner.inputs import Job
from monostep.runner.outputs import Picture, Plan
from monostep.runner.record import Record
from monostep.runner.settings import Settings

_AHEAD = 2  # images read before they are needed
_BATCH = {"cuda": 4}  # images at once by device, where nothing is asked for; else 1

# What will not be better with the next image, so that going on would only repeat it.
_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one input: its files, its (width, height) in pixels, model time, or why not.

    A skipped input has no `milliseconds`, a failed one has only `error`.
    """

    input: str
    status: Literal["written", "skipped", "failed"]
    outputs: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    milliseconds: float | None = None
    error: str | None = None
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How many inputs came to which end."""

    written: int = 0
    skipped: int = 0
    failed: int = 0


Arrival: TypeAlias = Picture | Outcome


def run(
    jobs: Sequence[Job],
    predictors: Mapping[str, Predictor],
    settings: Settings,
    report: Callable[[Outcome], None],
) -> Summary:
    """Predict and write every job, report each outcome in the jobs' order, and count them.

    Raises:
        OutputError: the output folder is not writable or the disk is full.
        MissingExtraError: an output format needs an extra package.
    """
    plan = outputs.plan(predictors, settings)
    device = next(iter(predictors.values())).device.type
    size = settings.batch_size or _BATCH.get(device, 1)
    counts: Counter[str] = Counter()
    with _ahead(partial(_arrive, plan=plan), jobs) as arrivals:
        for chunk in _chunks(arrivals, size):
            for outcome in _finish(chunk, predictors, plan):
                counts[outcome.status] += 1
                report(outcome)
    return Summary(**counts)


def _arrive(job: Job, *, plan: Plan) -> Arrival:
    """The picture of a job, or its outcome when there is nothing left to predict."""
    try:
        known = outputs.complete(job, plan)
        return outputs.read(job) if known is None else _outcome(job, known, plan)
    except (InputError, MissingExtraError) as error:
        return _failed(job, error)
    except OutputError as error:
        if _is_hopeless(error):
            raise
        return _failed(job, error)


def _finish(
    chunk: Sequence[Arrival], predictors: Mapping[str, Predictor], plan: Plan
) -> Iterator[Outcome]:
    """Outcomes of a chunk in its order; its pictures go through the models together."""
    pictures = [arrival for arrival in chunk if isinstance(arrival, Picture)]
    predicted = iter(batch.predict(pictures, predictors, plan.settings) if pictures else [])
    for arrival in chunk:
        if isinstance(arrival, Outcome):
            yield arrival
        else:
            yield _write(arrival, next(predicted), plan)


def _write(picture: Picture, prediction: Prediction | InputError, plan: Plan) -> Outcome:
    if isinstance(prediction, InputError):
        return _failed(picture.job, prediction)
    try:
        written = outputs.write(picture, prediction.results, plan)
    except OutputError as error:
        if _is_hopeless(error):
            raise
        return _failed(picture.job, error)
    return _outcome(picture.job, written, plan, prediction.milliseconds)


def _outcome(job: Job, known: Record, plan: Plan, milliseconds: float | None = None) -> Outcome:
    """Written if it took the models' time, else skipped."""
    return Outcome(
        input=str(job.source),
        status="skipped" if milliseconds is None else "written",
        outputs=tuple(str(path) for path in outputs.listed(job, known, plan)),
        size=(known.input.width, known.input.height),
        milliseconds=milliseconds,
        changes=known.input.changes,
    )


def _failed(job: Job, error: Exception) -> Outcome:
    return Outcome(input=str(job.source), status="failed", error=str(error))


def _is_hopeless(error: OutputError) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _HOPELESS


@contextmanager
def _ahead(read: Callable[[Job], Arrival], jobs: Iterable[Job]) -> Iterator[Iterator[Arrival]]:
    """What `read` returns for each job in order, read in a thread a few jobs before."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="monostep-read")
    try:
        yield _in_order(executor, read, jobs)
    finally:
        executor.shutdown(cancel_futures=True)


def _in_order(
    executor: ThreadPoolExecutor, read: Callable[[Job], Arrival], jobs: Iterable[Job]
) -> Iterator[Arrival]:
    pending: deque[Future[Arrival]] = deque()
    for job in jobs:
        pending.append(executor.submit(read, job))
        if len(pending) > _AHEAD:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _chunks(arrivals: Iterable[Arrival], size: int) -> Iterator[list[Arrival]]:
    """Consecutive arrivals with up to `size` pictures; others do not wait for a picture."""
    chunk: list[Arrival] = []
    pictures = 0
    for arrival in arrivals:
        chunk.append(arrival)
        pictures += isinstance(arrival, Picture)
        if pictures in (0, size):
            yield chunk
            chunk, pictures = [], 0
    if chunk:
        yield chunk


def check_folder(output: Path) -> None:
    """Make the output folder before any work (raises OutputError when that cannot be)."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{output}: cannot be made a folder ({error.strerror}); choose another -o"
        ) from error
