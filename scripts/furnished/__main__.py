"""Render furnished rooms: `python -m scripts.furnished OUT --furniture DIR`; see the package."""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import time
from functools import cache, partial
from pathlib import Path

from scripts.furnished import dataset, library, sheet
from scripts.furnished.dataset import FRAMES, Job
from scripts.furnished.library import Library


def main() -> None:
    """Render what is missing, then write the manifest."""
    options = _options()
    job = Job(
        out=options.out,
        furniture=options.furniture,
        seed=options.seed,
        size=(options.height, options.width),
    )
    made = _library(job)
    if options.sheet is not None:
        _sheet(made, job, options.sheet)
        return
    rooms = range(-(-options.frames // FRAMES) * 21 // 20 + 1)
    _render(job, rooms, options.frames, options.jobs)
    rows = dataset.collect(job.out, made, rooms, options.frames)
    print(f"{rows} frames in {job.out / 'manifest.jsonl'}")  # noqa: T201


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--furniture", type=Path, required=True, help="folder of .sh3f archives")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--height", type=int, default=120)
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--sheet", type=Path, help="only write 48 pictures with their depth here")
    return parser.parse_args()


@cache
def _library(job: Job) -> Library:
    return library.build(job.furniture, job.out / "library")


def _room(number: int, job: Job) -> int:
    return dataset.write(_library(job), job, number)


def _render(job: Job, rooms: range, frames: int, jobs: int) -> None:
    """All rooms until there are frames enough, telling how it goes."""
    start, done = time.monotonic(), 0
    with multiprocessing.Pool(jobs) as pool:
        for number, count in enumerate(pool.imap(partial(_room, job=job), rooms)):
            done += count
            if number % 25 == 24:
                speed = done / (time.monotonic() - start)
                print(f"{number + 1} rooms, {done} frames, {speed:.1f}/s", flush=True)  # noqa: T201
            if number % 200 == 199:
                dataset.collect(job.out, _library(job), range(number + 1), frames)
            if done >= frames:
                break


def _sheet(made: Library, job: Job, path: Path) -> None:
    """Three pictures of each of 16 rooms."""
    rooms = (dataset.frames(made, job, number)[1][:3] for number in range(24))
    taken = list(itertools.islice(itertools.chain.from_iterable(rooms), 48))
    sheet.write(path, taken)


if __name__ == "__main__":
    main()
