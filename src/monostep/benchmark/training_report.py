"""Steps of one case as plain values: every program, every ratio, and what is wrong with them."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from monostep.benchmark.cases import Case
from monostep.benchmark.ratios import pairwise, quotient, summary
from monostep.benchmark.subjects import EXACT, OURS, Subject
from monostep.benchmark.training_rounds import Course

TOLERANCE = 1e-4  # relative, of the first step's loss and norm in float32


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What a case's report is made of."""

    case: Case
    subjects: Mapping[str, Subject]
    courses: Mapping[str, Course]
    failed: Mapping[str, str]


def report(learned: Learned) -> dict[str, Any]:
    """The case; `problems` are reasons not to believe its numbers."""
    return {
        "image_size": list(learned.case.size),
        "batch_size": learned.case.batch,
        "subjects": {name: _subject(learned, name) for name in learned.courses},
        "ratios": [_ratio(learned, *names) for names in _pairs(learned)],
        "problems": _problems(learned),
    }


def _subject(learned: Learned, name: str) -> dict[str, Any]:
    course = learned.courses[name]
    seconds = _seconds(course)
    first = course.beginning[0]
    return {
        "dtype": learned.subjects[name].dtype,
        "rounds_seconds": seconds,
        "seconds": asdict(summary(seconds)),
        "processor_seconds": asdict(summary(_processor_seconds(course))),
        "images_per_second": learned.case.batch / statistics.median(seconds),
        "processes": course.processes,
        "load_seconds": course.loaded.load_seconds,
        "load_peak_bytes": course.loaded.peak_bytes,
        "before_bytes": course.begun.before_bytes,
        "kept_bytes": course.begun.kept_bytes,
        "step_peak_bytes": course.peak_bytes,
        "grown_bytes": _grown(course),
        "first_loss": _finite(first.loss),
        "first_norm": _finite(first.norm),
        "losses": [_finite(step.loss) for step in course.beginning],
    }


def _pairs(learned: Learned) -> list[tuple[str, str]]:
    """Ours and every other program in the same precision."""
    found = []
    for name in learned.courses:
        ours = Subject(kind=OURS, dtype=learned.subjects[name].dtype).name
        if name != ours and ours in learned.courses:
            found.append((ours, name))
    return found


def _ratio(learned: Learned, ours: str, other: str) -> dict[str, Any]:
    """Above 1 ours is faster, below 1 it takes less memory."""
    mine, theirs = learned.courses[ours], learned.courses[other]
    return {
        "ours": ours,
        "other": other,
        "speed": pairwise(_seconds(theirs), _seconds(mine)),
        "processor": pairwise(_processor_seconds(theirs), _processor_seconds(mine)),
        "step_peak": quotient(mine.peak_bytes, theirs.peak_bytes),
        "grown": quotient(_grown(mine), _grown(theirs)),
        "loss_apart": _finite(_apart(mine.beginning[0].loss, theirs.beginning[0].loss)),
        "norm_apart": _finite(_apart(mine.beginning[0].norm, theirs.beginning[0].norm)),
    }


def _problems(learned: Learned) -> list[str]:
    found = [f"{learned.case.name}: {name}: {reason}" for name, reason in learned.failed.items()]
    for name, course in learned.courses.items():
        if not all(math.isfinite(step.loss) for step in course.beginning):
            found.append(f"{learned.case.name}: {name}: a loss is not finite")
    for ours, other in _pairs(learned):
        if learned.subjects[ours].dtype != EXACT:
            continue
        ratio = _ratio(learned, ours, other)
        for what in ("loss", "norm"):
            apart = ratio[f"{what}_apart"]
            if apart is None or apart > TOLERANCE:
                found.append(
                    f"{learned.case.name}: the first {what} of {ours} and {other} differ by "
                    f"{apart} of it, allowed are {TOLERANCE:.0e}: not the same work"
                )
    return found


def _seconds(course: Course) -> list[float]:
    return [step.seconds for step in course.timed]


def _processor_seconds(course: Course) -> list[float]:
    return [step.processor_seconds for step in course.timed]


def _grown(course: Course) -> int | None:
    """What steps took beyond the loaded program: without libraries, but with moments."""
    before, peak = course.begun.before_bytes, course.peak_bytes
    return None if before is None or peak is None else peak - before


def _apart(one: float, other: float) -> float:
    """Relative to the other; 0 where both are 0."""
    return abs(one - other) / abs(other) if other else float(one != other)


def _finite(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None
