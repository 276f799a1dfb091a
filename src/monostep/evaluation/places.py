"""The reports that a run of a benchmark makes: whose, by which rules, in which files."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monostep._version import __version__
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.judge import task_of
from monostep.evaluation.live import LiveModel
from monostep.evaluation.reports import paths as report_paths
from monostep.evaluation.rules import Alignment, NormalsRules, Rules
from monostep.evaluation.session import Contender


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A contender with the rules of one task, and the files of its report."""

    contender: Contender
    rules: Rules
    stem: str

    @property
    def is_pooled(self) -> bool:
        """Whether the angles of all images are judged together."""
        return isinstance(self.rules, NormalsRules) and self.rules.pooled


def places(
    benchmark: Benchmark, entrants: Entrants, *, label: str, alignment: Alignment | None
) -> list[Place]:
    """A place for each report, those of a joint model one after the other.

    Files are called BENCHMARK, behind it the label, with several contenders the contender's name,
    and the task where either of a contender's maps could be judged: procedural-geowizard-depth.

    Raises:
        SettingError: what cannot go together, such as reports that would share a file.
        InputError: a folder without any prediction of the images.
    """
    entered = list(entrants.on(benchmark, alignment))
    several = len({contender.name for contender, _ in entered}) > 1
    found = []
    for contender, rules in entered:
        shared = (benchmark.name, label, contender.name if several else "")
        either = len(benchmark.rules) > 1 and _may_have_both(contender)
        for one in rules:
            stem = report_paths.stem(*shared, task_of(one) if either else "")
            found.append(Place(contender=contender, rules=one, stem=stem))
    report_paths.check_distinct(
        (f"{one.contender.name} on {benchmark.name}", one.stem) for one in found
    )
    return found


def _may_have_both(contender: Contender) -> bool:
    """Whether it is a joint model, or a folder, which may hold what one has saved."""
    return not isinstance(contender, LiveModel) or len(contender.predictor.card.maps) > 1


def by_contender(found: Sequence[Place]) -> dict[Contender, dict[int, Place]]:
    """The places of each contender by their numbers."""
    groups: dict[Contender, dict[int, Place]] = {}
    for number, place in enumerate(found):
        groups.setdefault(place.contender, {})[number] = place
    return groups


def key(benchmark: Benchmark, place: Place, *, beside: bool) -> Mapping[str, Any]:
    """All that the lines of one report depend on; `beside`: whether baselines are judged too."""
    states = [_state(benchmark), _state(place.contender)]
    return {
        "version": __version__,
        "data": {"benchmark": benchmark.name, **benchmark.about()},
        "rules": place.rules.as_dict(),
        "model or predictions": place.contender.about(),
        "choice of baselines": beside,
        "state of files": hashlib.sha256(json.dumps(states).encode()).hexdigest(),
    }


def _state(of: object) -> str | None:
    """A hash of the files that may change behind an unchanged description, where they are known."""
    state: Callable[[], str] | None = getattr(of, "state", None)
    return None if state is None else state()
