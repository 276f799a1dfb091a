"""What became of each input, told in the inputs' order from whatever thread it is known in."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from monostep.runner.inputs import Job


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


class Ledger:
    """Takes outcomes in any order and reports each as soon as all before it are reported."""

    def __init__(self, jobs: Sequence[Job], report: Callable[[Outcome], None]) -> None:
        self._jobs, self._report = jobs, report
        self._early: dict[Job, Outcome] = {}
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, job: Job, outcome: Outcome) -> None:
        """Note the job's outcome, once; reports never overlap."""
        with self._lock:
            self._early[job] = outcome
            while (at := self._counts.total()) < len(self._jobs) and self._jobs[at] in self._early:
                known = self._early.pop(self._jobs[at])
                self._counts[known.status] += 1
                self._report(known)

    def summary(self) -> Summary:
        """How many of those reported came to which end."""
        return Summary(**self._counts)
