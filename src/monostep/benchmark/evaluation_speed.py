"""Alignment and metrics of one image: ours and the published way, in turns."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch

from monostep._version import __version__
from monostep.benchmark import machine
from monostep.benchmark.evaluation_work import OURS, PROGRAMS, REFERENCE, Program, Scene, scene
from monostep.benchmark.ratios import pairwise, summary
from monostep.benchmark.rounds import Tell, order
from monostep.errors import SettingError
from monostep.metrics import depth

STAGES = ("align", "metrics", "whole", "processor")
TOLERANCE = 1e-5  # relative, of every metric


@dataclass(frozen=True, kw_only=True)
class Took:
    """One evaluation: seconds by stage, and what came out."""

    seconds: Mapping[str, float]
    scores: Mapping[str, float]


def benchmark(
    sizes: Sequence[tuple[int, int]], *, rounds: int, threads: int | None = None, tell: Tell
) -> dict[str, Any]:
    """Both ways on an image of each (height, width); the report, of which `problems` must be empty.

    Raises:
        SettingError: fewer than one round or thread.
    """
    for option, value in (("repeat", rounds), ("threads", threads)):
        if value is not None and value < 1:
            raise SettingError(f"--{option} {value}: expected a whole number from 1 up")
    cases = []
    with _threads(threads):
        for size in sizes:
            tell(f"{size[0]}x{size[1]}: a scene is made")
            cases.append(report(size, measure(scene(size), rounds=rounds, tell=tell)))
    return {
        "monostep": __version__,
        "machine": machine.describe(torch.device("cpu"), threads),
        "device": "cpu",
        "order": "in turns",
        "rounds": rounds,
        "cases": cases,
        "problems": [problem for case in cases for problem in case["problems"]],
    }


def measure(scene: Scene, *, rounds: int, tell: Tell) -> dict[str, list[Took]]:
    """What each way took in each round, after one that does not count."""
    took: dict[str, list[Took]] = {name: [] for name in PROGRAMS}
    for turn in range(rounds + 1):
        tell(f"round {turn} of {rounds}" if turn else "warm-up")
        for name in order(list(PROGRAMS), turn):
            took[name].append(_run(PROGRAMS[name], scene))
    return {name: each[1:] for name, each in took.items()}


def report(size: tuple[int, int], took: Mapping[str, Sequence[Took]]) -> dict[str, Any]:
    """One image's case; a difference is relative to the reference's value, none if not finite."""
    apart = _apart(took[OURS][0].scores, took[REFERENCE][0].scores)
    known = [value for value in apart.values() if value is not None]
    return {
        "image_size": list(size),
        "programs": {
            name: {
                "seconds": {stage: asdict(summary(_seconds(each, stage))) for stage in STAGES},
                "scores": {metric: _finite(value) for metric, value in each[0].scores.items()},
            }
            for name, each in took.items()
        },
        "ratios": {
            stage: pairwise(_seconds(took[REFERENCE], stage), _seconds(took[OURS], stage))
            for stage in STAGES
        },
        "apart": apart,
        "largest_difference": max(known, default=None),
        "problems": [
            f"{size[0]}x{size[1]}: {metric} differs by {value} of itself, allowed are "
            f"{TOLERANCE:.0e}: not the same work"
            for metric, value in apart.items()
            if value is None or value > TOLERANCE
        ],
    }


def _apart(ours: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float | None]:
    return {
        name: _finite(abs(ours[name] - theirs[name]) / abs(theirs[name])) for name in depth.NAMES
    }


def _finite(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None


def _run(program: Program, scene: Scene) -> Took:
    begin, busy = time.perf_counter(), time.process_time()
    aligned = program.align(scene)
    between = time.perf_counter()
    scores = program.scores(aligned, scene.truth_m, scene.valid)
    done = time.perf_counter()
    seconds = {
        "align": between - begin,
        "metrics": done - between,
        "whole": done - begin,
        "processor": time.process_time() - busy,
    }
    return Took(seconds=seconds, scores=scores)


def _seconds(took: Sequence[Took], stage: str) -> list[float]:
    return [each.seconds[stage] for each in took]


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """So many threads of torch; numpy's least squares take what BLAS is told elsewhere."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
