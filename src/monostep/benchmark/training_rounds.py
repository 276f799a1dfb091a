"""Who takes a step when: in turns, the order reversed every other round, everyone else idle.

Stable Diffusion 2 keeps 14 GB between steps: where two do not fit in memory, a process ends before
the next one's turn and starts anew at its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from monostep.benchmark import machine
from monostep.benchmark.fleet import Colleague, Hire, SubjectError
from monostep.benchmark.rounds import Tell, order
from monostep.benchmark.training_program import TrainingAssignment
from monostep.benchmark.training_work import Work, work
from monostep.benchmark.training_worker import Begun, Step
from monostep.benchmark.worker import Loaded


@dataclass(kw_only=True)
class Course:
    """What one subject did in one case, over all its processes."""

    loaded: Loaded
    begun: Begun
    beginning: list[Step] = field(default_factory=list)  # all steps of its first process
    timed: list[Step] = field(default_factory=list)  # one a round
    processes: int = 1

    @property
    def peak_bytes(self) -> int | None:
        """The most while it learned."""
        every = [step.peak_bytes or 0 for step in (*self.beginning, *self.timed)]
        return max(every, default=0) or None


class Crew:
    """The processes of one case's subjects, as many at once as memory holds.

    Leaving its context ends them.
    """

    def __init__(
        self,
        assignments: Mapping[str, TrainingAssignment],
        work: Work,
        *,
        warm_ups: int,
        hire: Hire,
    ) -> None:
        self._assignments = assignments
        self._work = work
        self._warm_ups = warm_ups
        self._hire = hire
        self._there: dict[str, Colleague] = {}
        self.courses: dict[str, Course] = {}
        self.failed: dict[str, str] = {}

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    def step(self, name: str) -> None:
        """One step that counts; a subject that fails is left out from then on."""
        try:
            if name not in self._there:
                self._start(name)
            self.courses[name].timed.append(self._step(name))
        except SubjectError as error:
            self.failed[name] = str(error)
            self.courses.pop(name, None)
            if name in self._there:
                self._there.pop(name).dismiss()

    def _start(self, name: str) -> None:
        """A new process, and its steps that nobody counts."""
        if not self._room(self._assignments[name]):
            self._let_go()
        member = self._there[name] = self._hire(self._assignments[name])
        loaded, begun = member.ask("load"), member.ask("begin", self._work)
        if name in self.courses:
            self.courses[name].processes += 1
        else:
            self.courses[name] = Course(loaded=loaded, begun=begun)
        for _ in range(self._warm_ups):
            self._step(name)

    def _step(self, name: str) -> Step:
        step: Step = self._there[name].ask("step")
        course = self.courses[name]
        if course.processes == 1:
            course.beginning.append(step)
        return step

    def _room(self, assignment: TrainingAssignment) -> bool:
        """Whether one more can take a step, and later those that wait can take theirs."""
        free = machine.available_bytes(torch.device(assignment.device))
        largest = max((one.peak_bytes or 0 for one in self.courses.values()), default=0)
        return free is None or free >= 2 * largest

    def _let_go(self) -> None:
        for member in self._there.values():
            member.dismiss()
        self._there.clear()


def measure(
    assignments: Mapping[str, TrainingAssignment],
    *,
    rounds: int,
    warm_ups: int,
    hire: Hire,
    tell: Tell,
) -> tuple[dict[str, Course], dict[str, str]]:
    """Everyone's steps on one case, and why others have none."""
    (case,) = {each.case for each in assignments.values()}
    with Crew(assignments, work(case), warm_ups=warm_ups, hire=hire) as crew:
        for turn in range(rounds):
            for name in order([n for n in assignments if n not in crew.failed], turn):
                tell(f"{case.name}: round {turn + 1} of {rounds}, {name}")
                crew.step(name)
        return crew.courses, crew.failed
