import pytest

from monostep.benchmark import machine, training_rounds
from monostep.benchmark.cases import Case
from monostep.benchmark.fleet import SubjectError
from monostep.benchmark.subjects import DIFFUSERS, OURS, Subject
from monostep.benchmark.training_program import TrainingAssignment
from monostep.benchmark.training_worker import Begun, Step
from monostep.benchmark.worker import Loaded

CASE = Case(size=(8, 8))


class Stub:
    """A program whose n-th step of a process sees loss 1 / n and takes n seconds and n GB."""

    log, alive = [], 0

    def __init__(self, assignment):
        self.name, self.steps = assignment.subject.name, 0
        Stub.alive += 1
        Stub.log.append(f"start {assignment.subject.kind}")

    def ask(self, method, *arguments):
        if method == "load":
            return Loaded(dtype="fp32", import_seconds=0, load_seconds=0, peak_bytes=1)
        if method == "begin":
            assert arguments[0].image.shape == (1, 3, 8, 8)
            return Begun(before_bytes=10**8, kept_bytes=1)
        self.steps += 1
        Stub.log.append(self.name.split()[0])
        return Step(
            seconds=self.steps,
            processor_seconds=1,
            loss=1 / self.steps,
            norm=1,
            peak_bytes=self.steps * 10**9,
        )

    def dismiss(self):
        Stub.alive -= 1


@pytest.fixture
def assignments(weights):
    Stub.log, Stub.alive = [], 0
    subjects = [Subject(kind=kind, dtype="fp32") for kind in (OURS, DIFFUSERS)]
    return {
        subject.name: TrainingAssignment(
            subject=subject, weights=weights, device="cpu", case=CASE, recompute="none"
        )
        for subject in subjects
    }


def _measure(assignments, *, hire=Stub, warm_ups=1, rounds=2):
    return training_rounds.measure(
        assignments, rounds=rounds, warm_ups=warm_ups, hire=hire, tell=lambda _: None
    )


def test_steps_are_taken_in_turns_and_the_first_are_not_timed(assignments, monkeypatch):
    monkeypatch.setattr(machine, "available_bytes", lambda _: 10**12)
    courses, failed = _measure(assignments)
    starts = ["start monostep", "monostep", "monostep", "start diffusers", "diffusers"]
    assert Stub.log == [*starts, "diffusers", "diffusers", "monostep"]
    course = courses["monostep fp32"]
    assert [step.seconds for step in course.timed] == [2, 3]
    assert [step.loss for step in course.beginning] == [1, 1 / 2, 1 / 3]
    assert (course.processes, course.peak_bytes, Stub.alive, failed) == (1, 3 * 10**9, 0, {})


def test_where_two_do_not_fit_each_starts_anew_at_its_turn(assignments, monkeypatch):
    monkeypatch.setattr(machine, "available_bytes", lambda _: 4 * 10**9 - 1)
    hired = []

    def hire(assignment):
        hired.append(Stub.alive)
        return Stub(assignment)

    courses, _ = _measure(assignments, hire=hire, rounds=3)
    assert hired == [0] * 4, "forth, back, forth: neighbours go on in one process"
    for course in courses.values():
        assert course.processes == 2
        assert len(course.timed) == 3
        assert [step.loss for step in course.beginning[:2]] == [1, 1 / 2]


def test_without_warm_ups_the_first_step_counts(assignments):
    courses, _ = _measure(assignments, warm_ups=0, rounds=1)
    assert [step.loss for step in courses["diffusers fp32"].timed] == [1]
    assert courses["diffusers fp32"].beginning == courses["diffusers fp32"].timed


def test_one_that_fails_is_let_go_and_the_others_go_on(assignments):
    class Failing(Stub):
        def ask(self, method, *arguments):
            if method == "step" and self.name == "diffusers fp32" and self.steps == 2:
                raise SubjectError("no memory")
            return super().ask(method, *arguments)

    courses, failed = _measure(assignments, hire=Failing)
    assert failed == {"diffusers fp32": "no memory"}
    assert list(courses) == ["monostep fp32"]
    assert len(courses["monostep fp32"].timed) == 2
    assert Stub.alive == 0


def test_an_interrupt_leaves_no_process(assignments):
    class Interrupted(Stub):
        def ask(self, method, *arguments):
            if method == "load":
                raise KeyboardInterrupt
            return super().ask(method, *arguments)

    with pytest.raises(KeyboardInterrupt):
        _measure(assignments, hire=Interrupted)
    assert Stub.alive == 0
