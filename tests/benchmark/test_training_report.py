import dataclasses
import json
import math

import pytest

from monostep.benchmark.cases import Case
from monostep.benchmark.subjects import DIFFUSERS, OURS, Subject
from monostep.benchmark.training_report import Learned, report
from monostep.benchmark.training_rounds import Course
from monostep.benchmark.training_worker import Begun, Step
from monostep.benchmark.worker import Loaded


def _course(seconds, *, peak=300, loss=0.5, norm=2.0):
    first = Step(seconds=99.0, processor_seconds=0.0, loss=loss, norm=norm, peak_bytes=peak)
    timed = [
        dataclasses.replace(first, seconds=s, processor_seconds=s**2, loss=0.4) for s in seconds
    ]
    return Course(
        loaded=Loaded(dtype="fp32", import_seconds=1.0, load_seconds=2.0, peak_bytes=7),
        begun=Begun(before_bytes=100, kept_bytes=150),
        beginning=[first, *timed],
        timed=timed,
    )


def _report(ours, theirs, *, dtype="fp32", failed=None):
    subjects = [Subject(kind=kind, dtype=dtype) for kind in (OURS, DIFFUSERS)]
    courses = dict(zip([s.name for s in subjects], (ours, theirs), strict=True))
    made = report(
        Learned(
            case=Case(size=(8, 16), batch=2),
            subjects={subject.name: subject for subject in subjects},
            courses={name: course for name, course in courses.items() if course is not None},
            failed=failed or {},
        )
    )
    json.dumps(made, allow_nan=False)
    return made


def test_speed_is_the_median_of_the_ratios_within_rounds_and_memory_without_libraries():
    made = _report(_course([1.0, 2.0, 4.0]), _course([2.0, 2.0, 12.0], peak=500))
    (ratio,) = made["ratios"]
    assert (ratio["ours"], ratio["other"]) == ("monostep fp32", "diffusers fp32")
    assert (ratio["speed"], ratio["processor"]) == (2, 4)
    assert ratio["step_peak"] == 300 / 500
    assert ratio["grown"] == 200 / 400
    assert made["problems"] == []


def test_a_subject_s_numbers():
    one = _report(_course([1.0, 2.0, 4.0]), None)["subjects"]["monostep fp32"]
    assert one["seconds"] == {"median": 2, "lowest": 1, "highest": 4}
    assert one["images_per_second"] == 1
    assert (one["grown_bytes"], one["kept_bytes"], one["step_peak_bytes"]) == (200, 150, 300)
    assert (one["first_loss"], one["first_norm"], one["losses"][-1]) == (0.5, 2, 0.4)


@pytest.mark.parametrize(("what", "value"), [("loss", 0.5002), ("norm", 2.001), ("norm", math.nan)])
def test_other_work_in_float32_is_a_problem_and_in_bfloat16_a_number(what, value):
    other = _course([1.0], **{what: value})
    (problem,) = _report(_course([1.0]), other)["problems"]
    assert f"the first {what} of monostep fp32 and diffusers fp32" in problem
    half = _report(_course([1.0]), other, dtype="bf16")
    assert half["problems"] == []
    assert half["ratios"][0][f"{what}_apart"] != 0


def test_within_the_tolerance_it_is_the_same_work():
    assert _report(_course([1.0]), _course([1.0], loss=0.50004))["problems"] == []


def test_a_loss_that_is_not_finite_and_a_failure_are_problems():
    made = _report(_course([1.0], loss=math.inf), None, failed={"diffusers fp32": "no memory"})
    assert made["problems"] == [
        "8x16, batch 2: diffusers fp32: no memory",
        "8x16, batch 2: monostep fp32: a loss is not finite",
    ]
    assert made["ratios"] == []
