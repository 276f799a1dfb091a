import json
from dataclasses import replace

import numpy as np
import pytest

from monostep.benchmark import joint_run
from monostep.benchmark.joint_program import JOINT, TWO, UNFOLDED
from monostep.benchmark.worker import Loaded, Timing

MAPS = np.random.default_rng(0).random((8, 16, 4), dtype=np.float32)
SECONDS = {JOINT: 2.0, TWO: 3.0, UNFOLDED: 4.0}


class Stub:
    """A way to both maps of known speed."""

    off = 0.0

    def __init__(self, assignment):
        self.kind = assignment.subject.kind

    def ask(self, method, *arguments, **options):
        return getattr(self, method)(*arguments, **options)

    def dismiss(self):
        pass

    def load(self):
        return Loaded(
            dtype="fp32", import_seconds=0, load_seconds=0, peak_bytes=10**9, weight_bytes=10**8
        )

    def begin(self, case, *_, **__):
        return case.size

    def time(self):
        return Timing(seconds={"whole": SECONDS[self.kind]}, peak_bytes=10**9)

    def compare(self):
        shift = np.float32(Stub.off if self.kind == JOINT else 0)
        return None if self.kind == TWO else MAPS + shift

    def count(self):
        return {"whole": 10**9}


@pytest.fixture
def report(joint_planned):
    exact = tuple(each for each in joint_planned.subjects if each.dtype == "fp32")
    planned = replace(joint_planned, subjects=exact)

    def run():
        made = joint_run.benchmark(planned, tell=lambda _: None, hire=Stub)
        made["machine"]["cpu_half_precision"] = []
        return made

    return run


def test_one_report_of_all_three_with_ratios_and_weights(report):
    told = report()
    (case,) = told["cases"]
    assert list(case["subjects"]) == ["joint fp32", "two models fp32", "joint unfolded fp32"]
    assert [one["speed"]["whole"] for one in case["ratios"]] == [1.5, 2.0]
    assert case["subjects"]["joint fp32"]["is_default"]
    assert told["problems"] == []
    assert told["disk_share"] == told["disk_bytes"][JOINT] / told["disk_bytes"][TWO] < 1
    page = joint_run.document(told)
    assert "joint against two models, fp32" in page
    assert "| joint / two models |" in page
    json.dumps(told, allow_nan=False)


def test_folded_and_unfolded_must_agree_in_both_maps(report, monkeypatch):
    monkeypatch.setattr(Stub, "off", 0.01)
    problems = report()["problems"]
    assert len(problems) == 2
    assert "in depth" in problems[0] and "in normals" in problems[1]
