import json
import math

import pytest
import torch

from monostep.benchmark import evaluation_markdown, evaluation_speed
from monostep.benchmark.evaluation_speed import Took
from monostep.benchmark.evaluation_work import OURS, PROGRAMS, REFERENCE, scene
from monostep.errors import SettingError
from monostep.metrics import depth

SIZE = (64, 96)


def _took(seconds, **scores):
    every = dict.fromkeys(evaluation_speed.STAGES, float(seconds))
    return Took(seconds=every, scores=dict.fromkeys(depth.NAMES, 0.5) | scores)


def test_both_ways_agree_and_are_timed_in_every_round():
    heard = []
    report = evaluation_speed.benchmark([SIZE], rounds=2, tell=heard.append)
    json.dumps(report, allow_nan=False)
    (case,) = report["cases"]
    assert report["problems"] == [] and case["largest_difference"] <= 1e-5
    assert list(case["programs"]) == [OURS, REFERENCE]
    for one in case["programs"].values():
        assert tuple(one["scores"]) == depth.NAMES
        assert one["seconds"]["whole"]["median"] > one["seconds"]["align"]["median"] > 0
    assert heard == ["64x96: a scene is made", "warm-up", "round 1 of 2", "round 2 of 2"]
    text = evaluation_markdown.document(report)
    assert "## 64x96" in text and "DO NOT TRUST" not in text


def test_the_order_is_turned_round_and_the_first_round_does_not_count(monkeypatch):
    ran, made = [], scene(SIZE)

    def run(program, seen):
        assert seen is made
        ran.append(program)
        return _took(float(len(ran)))

    monkeypatch.setattr(evaluation_speed, "_run", run)
    took = evaluation_speed.measure(made, rounds=2, tell=lambda _: None)
    names = [OURS, REFERENCE, REFERENCE, OURS, OURS, REFERENCE]
    assert ran == [PROGRAMS[name] for name in names]
    assert [each.seconds["whole"] for each in took[OURS]] == [4, 5]
    assert [each.seconds["whole"] for each in took[REFERENCE]] == [3, 6]


def test_ratios_are_taken_within_rounds():
    took = {OURS: [_took(1), _took(2), _took(1)], REFERENCE: [_took(5), _took(12), _took(9)]}
    case = evaluation_speed.report(SIZE, took)
    assert set(case["ratios"].values()) == {6}
    assert "6.00" in evaluation_markdown.programs(case)[1][-1]


@pytest.mark.parametrize("value", [0.5001, math.nan])
def test_other_numbers_are_a_problem(value):
    took = {OURS: [_took(1, silog=value)], REFERENCE: [_took(5)]}
    case = evaluation_speed.report(SIZE, took)
    assert len(case["problems"]) == 1 and "64x96: silog differs" in case["problems"][0]


def test_threads_are_given_back():
    before = torch.get_num_threads()
    report = evaluation_speed.benchmark([SIZE], rounds=1, threads=before + 1, tell=lambda _: None)
    assert report["machine"]["threads"] == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"rounds": 1, "threads": 0}])
def test_none_is_too_few(wrong):
    with pytest.raises(SettingError, match="expected a whole number from 1 up"):
        evaluation_speed.benchmark([SIZE], **wrong, tell=lambda _: None)
