import dataclasses
import json

import numpy as np
import pytest

from monostep.benchmark import cold_start, machine, run
from monostep.benchmark.cases import Baseline, Case
from monostep.benchmark.cold_start import Starts
from monostep.benchmark.fleet import Fleet, SubjectError
from monostep.benchmark.plan import Wishes, plan
from monostep.benchmark.subjects import AUTO, DIFFUSERS, OURS, PEAK, UNFOLDED
from monostep.benchmark.worker import Loaded, Timing

MAP = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8, 1)
SECONDS = {OURS: 1.0, UNFOLDED: 2.0, DIFFUSERS: 4.0, PEAK: 0.5}


class Stub:
    """A subject of known speed; auto is bf16."""

    alive, most, off = 0, 0, 0.0

    def __init__(self, assignment):
        self.subject = assignment.subject
        Stub.alive += 1
        Stub.most = max(Stub.most, Stub.alive)

    def ask(self, method, *arguments, **options):
        return getattr(self, method)(*arguments, **options)

    def dismiss(self):
        Stub.alive -= 1

    def load(self):
        dtype = "bf16" if self.subject.dtype == AUTO else self.subject.dtype
        return Loaded(dtype=dtype, import_seconds=0, load_seconds=0, peak_bytes=10**9)

    def begin(self, case, images, **_):
        self.case = case
        assert images.shape == (case.batch, 3, *case.size)
        return case.size

    def time(self):
        one, steps = SECONDS[self.subject.kind], (self.case.steps or 1) * self.case.members
        if self.subject.kind == PEAK:
            return Timing(seconds={"whole": one}, peak_bytes=1)
        seconds = {"encode": one, "unet": one * steps, "decode": one * self.case.members}
        return Timing(seconds=seconds | {"whole": sum(seconds.values())}, peak_bytes=10**9)

    def compare(self):
        if self.subject.kind == PEAK:
            return None
        return MAP + np.float32(Stub.off if self.subject.kind == DIFFUSERS else 0)

    def count(self):
        return {"whole": 10**9}


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    Stub.alive = Stub.most = 0
    Stub.off = 0.0
    started = Starts(seconds={OURS: [1.0, 2.0], "import torch": [0.5, 0.5]}, failed={})
    monkeypatch.setattr(cold_start, "measure", lambda *_, **__: started)


@pytest.fixture
def planned(folder):
    wishes = Wishes(
        dtypes=("bf16",),
        against=(UNFOLDED,),
        device="cpu",
        rounds=2,
        baselines=(Baseline(steps=5, members=2),),
        measure_baselines=True,
    )
    made = plan(str(folder), [Case(size=(8, 8)), Case(size=(8, 16), batch=2)], wishes)
    # as if diffusers had been checked
    theirs = [dataclasses.replace(one, kind=DIFFUSERS) for one in made.subjects[1:3]]
    return dataclasses.replace(made, subjects=(*made.subjects, *theirs))


def _run(planned):
    return run.benchmark(planned, tell=lambda _: None, hire=Stub)


def test_everyone_is_measured_in_every_case_and_let_go(planned):
    report = _run(planned)
    assert report["order"] == "in turns"
    assert Stub.alive == 0
    assert Stub.most == len(planned.subjects) - 2, "what auto chose, bf16, comes once"
    for case in report["cases"]:
        assert list(case["subjects"]) == [
            "monostep bf16",
            "monostep fp32",
            "unfolded bf16",
            "diffusers bf16",
            "diffusers fp32",
        ]
    assert report["problems"] == []
    json.dumps(report, allow_nan=False)


def test_default_against_default_is_what_auto_chose_against_float32(planned):
    report = _run(planned)
    assert report["default"] == "monostep bf16"
    (ratio,) = [
        one for one in report["cases"][0]["ratios"] if one["name"] == "default against default"
    ]
    assert (ratio["ours"], ratio["other"]) == ("monostep bf16", "diffusers fp32")
    assert ratio["speed"]["whole"] == 4


def test_baselines_are_measured_of_diffusers_alone(planned):
    rows = _run(planned)["cases"][0]["baselines"]
    measured = {row["subject"]: row["measured_seconds"] for row in rows}
    expected = 4 * (1 + 2 * (5 + 1))
    assert measured["diffusers fp32"] == expected
    assert measured["monostep bf16"] is None
    (row,) = [row for row in rows if row["subject"] == "diffusers fp32"]
    assert row["computed_seconds"] == expected
    assert row["measured_of_computed"] == 1


def test_too_little_memory_means_one_after_the_other_and_the_report_says_so(planned, monkeypatch):
    monkeypatch.setattr(machine, "available_bytes", lambda _: 10**9)
    report = _run(planned)
    assert report["order"] == "one after the other"
    assert Stub.most == 1
    assert len(report["cases"][1]["subjects"]) == 5
    assert report["default"] == "monostep bf16"


def test_room_is_for_one_more_of_the_largest(planned, monkeypatch):
    fleet, subject = Fleet(Stub), planned.subjects[0]
    one = Loaded(dtype="fp32", import_seconds=0, load_seconds=0, peak_bytes=10**9)
    fleet.loaded["one"] = one
    needed = 10**9 + 4096 * 2 * 8 * 16
    for free, room in ((needed, True), (needed - 1, False), (None, True)):
        monkeypatch.setattr(machine, "available_bytes", lambda _, free=free: free)
        assert run._room(planned, subject, fleet) is room
    fleet.loaded.clear()
    monkeypatch.setattr(machine, "available_bytes", lambda _: 0)
    assert run._room(planned, subject, fleet)


def test_a_difference_is_said_at_the_top(planned):
    Stub.off = 0.01
    problems = _run(planned)["problems"]
    assert len(problems) == 2  # in each case
    assert "diffusers fp32 differs" in problems[0]


def test_one_that_cannot_load_is_a_problem_and_the_rest_goes_on(planned, monkeypatch):
    def load(stub):
        if stub.subject.kind == UNFOLDED:
            raise SubjectError("no memory")
        return original(stub)

    original = Stub.load
    monkeypatch.setattr(Stub, "load", load)
    report = _run(planned)
    assert report["problems"] == ["unfolded bf16: no memory"]
    assert len(report["cases"][0]["subjects"]) == 4


def test_cold_starts_are_told_with_their_ratio(planned, monkeypatch):
    cold = _run(planned)["cold_start"]
    assert cold["median"] == {OURS: 1.5, "import torch": 0.5}
    assert cold["ratios"] == {"monostep / import torch": 3}
    failed = Starts(seconds={}, failed={OURS: "exit code 1: no"})
    monkeypatch.setattr(cold_start, "measure", lambda *_, **__: failed)
    assert _run(planned)["problems"] == ["cold start of monostep: exit code 1: no"]
    wishes = dataclasses.replace(planned.wishes, cold_starts=0)
    assert _run(dataclasses.replace(planned, wishes=wishes))["cold_start"] is None
