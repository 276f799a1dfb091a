"""Frame by frame, resumable; a broken frame is named and left out, a full disk ends the run."""

import multiprocessing
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import torch

from monostep.data import manifest
from monostep.data.prepare.job import Facts, Job, Plan
from monostep.data.prepare.ledger import Ledger
from monostep.data.prepare.thresholds import Thresholds
from monostep.errors import InputError, MonostepWarning, OutputError

MANIFEST = "manifest.jsonl"
_CHUNK = 4  # frames sent to a process at a time


@dataclass(frozen=True, kw_only=True)
class Report:
    """How a run ended, in frames."""

    manifest: Path
    rows: int
    written: int
    kept: int  # were whole already
    left_out: int  # by the thresholds
    broken: tuple[str, ...]  # one line each, naming frame and file


@dataclass(frozen=True, kw_only=True)
class _Result:
    facts: Facts | None = None
    error: str | None = None


def run(
    plan: Plan,
    output: Path,
    *,
    thresholds: Thresholds | None = None,
    workers: int = 1,
    done: Callable[[str | None], None] = lambda _: None,
) -> Report:
    """Write the frames that are not there yet, then the manifest of those of this plan.

    Args:
        plan: what to prepare.
        output: folder of the files and the manifest.
        thresholds: leave frames beyond them out of the manifest.
        workers: processes.
        done: called after each frame, with its error or None.

    Raises:
        InputError: no frame is left for the manifest.
        OutputError: a file cannot be written, or a worker process ended early.
        SettingError: the folder holds frames that were prepared otherwise.
        MissingExtraError: the data set's files need an extra package.
    """
    output = output.absolute()
    ledger = Ledger(output, plan.settings)
    missing = [job for job in plan.jobs if not ledger.is_whole(job)]
    broken: list[str] = []
    for job, result in zip(missing, _results(missing, workers), strict=True):
        if result.error is None:
            ledger.add(job, result.facts)
        else:
            broken.append(f"{job.name}: {result.error}")
        done(broken[-1] if result.error else None)
    whole = [job for job in plan.jobs if ledger.is_whole(job)]
    chosen = [job for job in whole if _is_admitted(ledger.facts(job.name), thresholds)]
    if not chosen:
        reason = broken[0] if broken else "the thresholds leave no frame"
        raise InputError(f"nothing to list out of {len(plan.jobs)} frames: {reason}")
    _say_what_is_dropped(output / MANIFEST, [job.row for job in plan.jobs])
    manifest.write(output / MANIFEST, plan.declaration, [job.row for job in chosen])
    return Report(
        manifest=output / MANIFEST,
        rows=len(chosen),
        written=len(missing) - len(broken),
        kept=len(plan.jobs) - len(missing),
        left_out=len(whole) - len(chosen),
        broken=tuple(broken),
    )


def _say_what_is_dropped(path: Path, rows: Sequence[manifest.Row]) -> None:
    """Warn if the manifest that is there lists images that are not of this plan."""
    try:
        before = {row.image for row in manifest.read(path).rows} if path.is_file() else set()
    except InputError:
        return  # whatever it is, it is replaced by one that can be read
    if lost := before - {row.image for row in rows}:
        warnings.warn(
            f"{path}: listed {len(lost)} images that this choice leaves out; their files stay: "
            "choose them together, or another folder, to have both",
            MonostepWarning,
            stacklevel=3,
        )


def _is_admitted(facts: Facts | None, thresholds: Thresholds | None) -> bool:
    return thresholds is None or facts is None or thresholds.admit(facts)


def _results(jobs: Sequence[Job], workers: int) -> Iterator[_Result]:
    """The jobs' ends, in order."""
    if workers == 1 or len(jobs) < 2:
        yield from map(_prepare, jobs)
        return
    # Fresh processes: a copy of one that has run torch or HDF5 may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        try:
            yield from pool.map(_prepare, jobs, chunksize=_CHUNK)
        except BrokenProcessPool as error:
            raise OutputError(
                "a worker process ended early, perhaps for memory: run again with fewer workers; a "
                "program of your own needs `if __name__ == '__main__':` around its start"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _prepare(job: Job) -> _Result:
    try:
        return _Result(facts=job.prepare())
    except InputError as error:
        return _Result(error=str(error))


def _one_thread() -> None:
    torch.set_num_threads(1)
