import pytest

from monostep.benchmark.cases import Case, pictures
from monostep.benchmark.fleet import Fleet, Process, SubjectError
from monostep.benchmark.subjects import AUTO, OURS, PEAK, Subject
from monostep.benchmark.worker import Assignment, Loaded


class Stub:
    """A colleague that loads as fp32, or fails."""

    def __init__(self, assignment, *, fails=None):
        self.subject, self.fails, self.gone = assignment.subject, fails, False

    def ask(self, *_, **__):
        if self.fails:
            raise self.fails
        dtype = "fp32" if self.subject.dtype == AUTO else self.subject.dtype
        return Loaded(dtype=dtype, import_seconds=0, load_seconds=0, peak_bytes=1)

    def dismiss(self):
        self.gone = True


def _assignment(weights, dtype, kind=OURS):
    return Assignment(subject=Subject(kind=kind, dtype=dtype), weights=weights, device="cpu")


def test_a_default_is_named_for_what_it_chose_and_does_not_come_twice(weights):
    fleet = Fleet(Stub)
    assert fleet.enlist(_assignment(weights, AUTO)) == "monostep fp32"
    assert fleet.enlist(_assignment(weights, "fp32")) is None
    assert fleet.enlist(_assignment(weights, "bf16")) == "monostep bf16"
    assert list(fleet.members) == list(fleet.loaded) == ["monostep fp32", "monostep bf16"]
    assert fleet.failed == {}


def test_one_that_fails_is_let_go_and_the_reason_kept(weights):
    hired = []

    def hire(assignment):
        hired.append(Stub(assignment, fails=SubjectError("no memory")))
        return hired[-1]

    fleet = Fleet(hire)
    assert fleet.enlist(_assignment(weights, "fp32")) is None
    assert fleet.failed == {"monostep fp32": "no memory"}
    assert hired[0].gone and not fleet.members


def test_an_interrupt_while_loading_leaves_no_process(weights):
    hired = []

    def hire(assignment):
        hired.append(Stub(assignment, fails=KeyboardInterrupt()))
        return hired[-1]

    with pytest.raises(KeyboardInterrupt):
        Fleet(hire).enlist(_assignment(weights, "fp32"))
    assert hired[0].gone


def test_leaving_lets_everyone_go_and_dropping_one(weights):
    with Fleet(Stub) as fleet:
        for dtype in ("fp32", "bf16"):
            fleet.enlist(_assignment(weights, dtype))
        members = list(fleet.members.values())
        fleet.drop("monostep fp32", "died")
        assert [member.gone for member in members] == [True, False]
    assert [member.gone for member in members] == [True, True]
    assert fleet.failed == {"monostep fp32": "died"}
    assert "monostep fp32" in fleet.loaded, "what it told remains"


@pytest.mark.slow
def test_a_process_answers_fails_and_dies_alone(weights):
    process = Process(_assignment(weights, "fp32", kind=PEAK))
    case = Case(size=(8, 8))
    try:
        assert process.ask("load").dtype == "fp32"
        assert process.ask("begin", case, pictures(case).numpy(), warm=False) == (8, 8)
        assert process.ask("time").seconds["whole"] > 0
        with pytest.raises(SubjectError, match="AttributeError"):
            process.ask("sing")
        process._process.kill()
        with pytest.raises(SubjectError, match="ended with code -9"):
            process.ask("time")
    finally:
        process.dismiss()
    assert not process._process.is_alive()
