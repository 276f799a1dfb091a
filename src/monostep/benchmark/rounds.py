"""Who runs when: in turns, the order reversed every other round, everyone else idle.

A machine that gets slower, busier or hotter meanwhile disturbs neighbours alike, so ratios are
taken within a round.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from monostep.benchmark.cases import Case, pictures
from monostep.benchmark.fleet import Fleet, SubjectError
from monostep.benchmark.program import Map
from monostep.benchmark.worker import Timing

Tell = Callable[[str], None]


@dataclass(kw_only=True)
class Record:
    """What one subject did in one case."""

    size: tuple[int, int]  # the case's, or the nearest that its patches divide
    timings: list[Timing] = field(default_factory=list)
    map: Map | None = None
    multiply_adds: dict[str, int] = field(default_factory=dict)

    def seconds(self, stage: str) -> list[float]:
        """Of each round; empty for a program without this stage."""
        return [one.seconds[stage] for one in self.timings if stage in one.seconds]

    @property
    def peak_bytes(self) -> int | None:
        """Of the process while it predicted."""
        return max((one.peak_bytes or 0 for one in self.timings), default=0) or None


def order(names: Sequence[str], turn: int) -> list[str]:
    """Of a round: forth and back."""
    return list(names) if turn % 2 == 0 else list(reversed(names))


def measure(fleet: Fleet, case: Case, *, rounds: int, tell: Tell) -> dict[str, Record]:
    """Everyone in the fleet on one case: warm-up, rounds, then maps and multiply-adds."""
    records = _begin(fleet, list(fleet.members), case, warm=True, tell=tell)
    _rounds(fleet, records, case, rounds, tell)
    for name in list(records):
        tell(f"{case.name}: what {name} says")
        found = _ask(fleet, name, "compare"), _ask(fleet, name, "count")
        if name not in fleet.members:
            del records[name]
            continue
        records[name].map, records[name].multiply_adds = found
    return records


def measure_once(fleet: Fleet, names: Sequence[str], case: Case, tell: Tell) -> dict[str, Record]:
    """These of the fleet on a case so long that it needs no warm-up and allows no repetition."""
    records = _begin(fleet, names, case, warm=False, tell=tell)
    _rounds(fleet, records, case, 1, tell)
    return records


def _begin(
    fleet: Fleet, names: Sequence[str], case: Case, *, warm: bool, tell: Tell
) -> dict[str, Record]:
    images = pictures(case).numpy()
    records = {}
    for name in names:
        tell(f"{case.name}: {name} warms up")
        size = _ask(fleet, name, "begin", case, images, warm=warm)
        if name in fleet.members:
            records[name] = Record(size=size)
    return records


def _rounds(fleet: Fleet, records: dict[str, Record], case: Case, rounds: int, tell: Tell) -> None:
    for turn in range(rounds):
        tell(f"{case.name}: round {turn + 1} of {rounds}")
        for name in order(list(records), turn):
            timing = _ask(fleet, name, "time")
            if name in fleet.members:
                records[name].timings.append(timing)
            else:
                del records[name]


def _ask(fleet: Fleet, name: str, method: str, *arguments: Any, **options: Any) -> Any:
    """The answer; one who fails leaves the fleet."""
    if name not in fleet.members:
        return None
    try:
        return fleet.members[name].ask(method, *arguments, **options)
    except SubjectError as error:
        fleet.drop(name, str(error))
        return None
