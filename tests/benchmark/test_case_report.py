import json

import numpy as np
import pytest

from monostep.benchmark.case_report import Measured, report
from monostep.benchmark.cases import Baseline, Case
from monostep.benchmark.pairs import pairs
from monostep.benchmark.rounds import Record
from monostep.benchmark.subjects import DIFFUSERS, OURS, PEAK, Subject
from monostep.benchmark.worker import Loaded, Timing

MAP = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8, 1)
GIGA = 10**9


def _record(*rounds, map=None, adds=GIGA, peak=100):
    """Made-up timings: (encode, unet, decode) by round; 1 s for the rest."""
    record = Record(size=(8, 8), map=map, multiply_adds={"whole": adds})
    for encode, unet, decode in rounds:
        seconds = {"encode": encode, "unet": unet, "decode": decode}
        seconds["whole"] = encode + unet + decode + 1
        record.timings.append(Timing(seconds=seconds, peak_bytes=peak))
    return record


def _peak_record(*seconds):
    record = Record(size=(8, 8), multiply_adds={"whole": 8 * GIGA})
    record.timings = [Timing(seconds={"whole": one}, peak_bytes=1) for one in seconds]
    return record


def _measured(records, **changes):
    subjects = changes.get("subjects") or {
        "monostep fp32": Subject(kind=OURS, dtype="fp32"),
        "diffusers fp32": Subject(kind=DIFFUSERS, dtype="fp32"),
        "matrix product fp32": Subject(kind=PEAK, dtype="fp32"),
    }
    loads = {"monostep fp32": 50, "diffusers fp32": 400, "matrix product fp32": 1}
    facts = {
        "case": Case(size=(8, 8), batch=2),
        "steps": 1,
        "default": "monostep fp32",
        "reference": "monostep fp32",
        "pairs": pairs({name: subjects[name] for name in records}, "monostep fp32"),
        "subjects": subjects,
        "loaded": {
            name: Loaded(dtype="fp32", import_seconds=1, load_seconds=2, peak_bytes=peak)
            for name, peak in loads.items()
        },
        "records": records,
        "long": {},
    }
    return Measured(**facts | changes)


@pytest.fixture
def records():
    return {
        "monostep fp32": _record((1, 1, 1), (2, 2, 3), (1, 1, 1), map=MAP),
        "diffusers fp32": _record((2, 3, 2), (6, 4, 5), (2, 3, 4), map=MAP, peak=200),
        "matrix product fp32": _peak_record(1, 2, 1),
    }


def test_every_number_of_the_report_from_made_up_timings(records):
    told = report(_measured(records), [])
    ours = told["subjects"]["monostep fp32"]
    assert ours["milliseconds"]["whole"] == {"median": 4000, "lowest": 4000, "highest": 8000}
    assert ours["images_per_second"] == 2 / 4
    assert ours["is_default"] and not told["subjects"]["diffusers fp32"]["is_default"]
    assert (ours["load_peak_bytes"], ours["predict_peak_bytes"], ours["peak_bytes"]) == (
        50,
        100,
        100,
    )
    assert told["matrix_product"]["fp32"]["median"] == 8 * GIGA
    # of a peak of 8 G multiply-adds a second, 1 G in 4 s: in the round at half speed as well
    assert ours["share_of_matrix_product"] == pytest.approx(1 / 8 / 4)
    assert told["problems"] == []
    json.dumps(told, allow_nan=False)


def test_ratios_are_taken_within_rounds_and_named(records):
    told = report(_measured(records), [])["ratios"]
    assert [one["name"] for one in told] == ["equal precision, fp32", "default against default"]
    assert told[0]["speed"] == {"encode": 2, "unet": 3, "decode": 2, "whole": 2}
    assert (told[0]["peak"], told[0]["load_peak"], told[0]["predict_peak"]) == (0.25, 0.125, 0.5)
    assert told[0]["multiply_adds"] == 1


def test_a_difference_above_the_tolerance_is_a_problem(records):
    records["diffusers fp32"].map = MAP + np.float32(3e-4)
    (problem,) = report(_measured(records), [])["problems"]
    assert problem.startswith("8x8, batch 2: diffusers fp32 differs from monostep fp32 by 3.0e-04")


def test_nan_is_a_problem_and_still_json(records):
    records["diffusers fp32"].map = np.full_like(MAP, np.nan)
    told = report(_measured(records), [])
    assert len(told["problems"]) == 1
    json.dumps(told, allow_nan=False)


def test_reduced_precision_may_differ_and_its_difference_is_told(records):
    subjects = dict(_measured(records).subjects)
    subjects["monostep bf16"] = Subject(kind=OURS, dtype="bf16")
    loaded = dict(_measured(records).loaded) | {
        "monostep bf16": Loaded(dtype="bf16", import_seconds=0, load_seconds=0, peak_bytes=None)
    }
    records["monostep bf16"] = _record(*[(1, 1, 1)] * 3, map=MAP + np.float32(0.01))
    told = report(_measured(records, subjects=subjects, loaded=loaded), [])
    assert told["problems"] == []
    assert told["subjects"]["monostep bf16"]["difference"]["largest"] == pytest.approx(
        0.01, rel=1e-3
    )
    assert told["subjects"]["monostep bf16"]["peak_bytes"] is None
    assert told["subjects"]["monostep bf16"]["share_of_matrix_product"] is None


def test_without_the_reference_nothing_is_compared_and_that_is_a_problem(records):
    del records["monostep fp32"]
    told = report(_measured(records), [Baseline(steps=50, members=10)])
    assert told["problems"] == ["monostep fp32: failed, so nothing is compared"]
    assert told["ratios"] == told["baselines"] == []


def test_counts_that_cannot_both_be_right_are_a_problem(records):
    records["diffusers fp32"].multiply_adds = {"whole": 3 * GIGA}
    problems = report(_measured(records), [])["problems"]
    assert problems and all("not fully counted" in problem for problem in problems)


def test_a_baseline_is_computed_from_stages_and_compared_where_it_was_measured(records):
    fifty = Baseline(steps=50, members=10)
    _, theirs = report(_measured(records), [fifty])["baselines"]
    assert theirs["computed_seconds"] == 2 + 10 * (50 * 3 + 4)
    assert theirs["measured_seconds"] is None
    # by round: 1522 / 4, 2056 / 8, 1542 / 4
    assert theirs["computed_ratio_to_default"] == 1522 / 4
    long = {"50x10": {"diffusers fp32": _record((2, 1500, 40))}}
    _, theirs = report(_measured(records, long=long), [fifty])["baselines"]
    assert theirs["measured_seconds"] == 1543
    assert theirs["measured_ratio_to_default"] == 1543 / 4
    assert theirs["measured_of_computed"] == pytest.approx(1543 / 1522)


def test_steps_of_the_case_are_not_counted_twice(records):
    four = report(_measured(records, steps=4), [Baseline(steps=4, members=1)])["baselines"]
    one = report(_measured(records), [Baseline(steps=1, members=1)])["baselines"]
    assert [row["computed_seconds"] for row in four] == [row["computed_seconds"] for row in one]


def test_each_map_of_a_joint_model_is_held_to_the_tolerance(records):
    both = np.random.default_rng(0).random((8, 8, 4), dtype=np.float32)
    records["monostep fp32"].map, records["diffusers fp32"].map = both, both.copy()
    assert report(_measured(records), [])["problems"] == []
    records["diffusers fp32"].map[..., 3] += 0.01
    told = report(_measured(records), [])
    (problem,) = told["problems"]
    assert "differs from monostep fp32 by 1.0e-02 in normals" in problem
    by_map = told["subjects"]["diffusers fp32"]["difference_by_map"]
    assert by_map["depth"]["largest"] == 0
    assert by_map["normals"]["largest"] == pytest.approx(0.01, rel=1e-3)
