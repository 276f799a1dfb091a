"""What happens to each image away from the models: decoding, baselines, stored predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from monostep.errors import InputError
from monostep.evaluation.baselines import Baselines
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.case import Case
from monostep.evaluation.judge import (
    Numbers,
    Scored,
    failed,
    judge,
    judge_baselines,
    task_of,
    unjudgeable,
)
from monostep.evaluation.rules import Rules
from monostep.evaluation.stored import StoredPredictions


@dataclass(frozen=True, kw_only=True, eq=False)
class Seat:
    """A contender in one task as the workers know it: its rules, and its folder if it is one."""

    rules: Rules
    stored: StoredPredictions | None  # None: a model, which is waiting for the case


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """One image for all contenders that want it, by their numbers."""

    index: int
    case: Case | None  # for models
    rivals: Mapping[int, Mapping[str, Numbers]] = field(default_factory=dict)  # for models
    scored: Mapping[int, Scored] = field(default_factory=dict)  # of the others, and what failed


@dataclass(frozen=True, kw_only=True, eq=False)
class Preparation:
    """Prepares images by their index, in any process."""

    benchmark: Benchmark
    seats: Mapping[int, Seat]
    baselines: Baselines | None
    wanted: Mapping[int, tuple[int, ...]]  # by index: the contenders that have it not yet

    def __len__(self) -> int:
        """Images that are wanted at all."""
        return len(self.wanted)

    def __getitem__(self, index: int) -> Prepared:
        """Decode an image and judge what is stored of it; its problem is said, not raised."""
        numbers = self.wanted[index]
        live = [number for number in numbers if self.seats[number].stored is None]
        try:
            case = self.benchmark.load(index, image=bool(live))
        except InputError as error:
            lost = Case(name=self.benchmark.names[index], stratum="", image=None)
            whole = {number: failed(lost, str(error)) for number in numbers}
            return Prepared(index=index, case=None, scored=whole)
        return self._judged(index, case, numbers)

    def _judged(self, index: int, case: Case, numbers: tuple[int, ...]) -> Prepared:
        scored: dict[int, Scored] = {}
        rivals: dict[int, Mapping[str, Numbers]] = {}
        for number in numbers:
            rules, stored = self.seats[number].rules, self.seats[number].stored
            problem = unjudgeable(case, rules)
            if problem:
                scored[number] = failed(case, problem)
                continue
            rivals[number] = self._rivals(case, rules, rivals)
            if stored is not None:
                scored[number] = _judge_stored(stored, case, rules, rivals[number])
        waited_for = any(number not in scored for number in numbers)
        return Prepared(
            index=index, case=case if waited_for else None, rivals=rivals, scored=scored
        )

    def _rivals(
        self, case: Case, rules: Rules, known: Mapping[int, Mapping[str, Numbers]]
    ) -> Mapping[str, Numbers]:
        """The baselines' numbers, once for all contenders with the same rules."""
        if self.baselines is None:
            return {}
        for number, numbers in known.items():
            if self.seats[number].rules == rules:
                return numbers
        return judge_baselines(case, rules, self.baselines)


def _judge_stored(
    stored: StoredPredictions, case: Case, rules: Rules, rivals: Mapping[str, Numbers]
) -> Scored:
    valid = case.depth_valid if task_of(rules) == "depth" else case.normals_valid
    assert valid is not None
    try:
        prediction = stored.read(case.name, (valid.shape[0], valid.shape[1]))
    except InputError as error:
        return failed(case, str(error))
    return judge(prediction, replace(case, image=None), rules, rivals=rivals)
