import csv
import json

import numpy as np
import pytest

from monostep.checkpoints.card import Card
from monostep.evaluation import report
from monostep.evaluation.judge import Judged
from monostep.evaluation.protocol import Procedural
from monostep.evaluation.scores import MODEL, Line


def _line(name, stratum, model, row, constant, problem=None):
    scores = {
        method: {"abs_rel": value, "delta1": 1 - value}
        for method, value in ((MODEL, model), ("row", row), ("constant", constant))
    }
    return Line(image=name, stratum=stratum, scores=scores, problem=problem)


LINES = [
    _line("a", "indoor", 0.1, 0.4, 0.6),
    _line("b", "indoor", 0.2, 0.4, 0.2),
    _line("c", "object", 0.3, 0.4, 0.7),
    _line("d", "object", float("nan"), 0.9, 0.9, "prediction is not finite"),
]


@pytest.fixture
def judged():
    card = Card(name="m", task="depth", tensor_hash="abc", resolution=64)
    return Judged(card=card, dtype="float32", lines=list(LINES))


@pytest.fixture
def values(judged):
    return report.report("procedural", Procedural(), judged)


def test_means_are_over_images_and_leave_the_failed_out(values):
    assert values["images"] == 3
    assert values["metrics"] == pytest.approx({"abs_rel": 0.2, "delta1": 0.8})
    assert values["baselines"]["row"]["abs_rel"] == pytest.approx(0.4)
    assert values["failed"] == [{"image": "d", "reason": "prediction is not finite"}]


def test_the_ratio_is_to_the_best_baseline_of_each_metric(values):
    assert values["ratio_to_best_baseline"] == pytest.approx({"abs_rel": 0.5, "delta1": 0.8 / 0.6})


def test_strata_have_the_same_entries(values):
    assert set(values["strata"]) == {"indoor", "object"}
    indoor = values["strata"]["indoor"]
    assert indoor["images"] == 2
    assert indoor["metrics"]["abs_rel"] == pytest.approx(0.15)
    assert set(indoor) <= set(values)


def test_every_choice_of_the_protocol_is_written_down(values):
    assert values["protocol"] == "procedural-1"
    assert values["benchmark"] == "procedural"
    assert (values["model"], values["weights_sha256"]) == ("m", "abc")
    settings = values["settings"]
    assert settings["far_m"] == 80
    assert settings["seed"] == Procedural().seed
    assert settings["dtype"] == "float32"
    assert settings["inference"]["resolution"] == 64
    assert settings["inference"]["steps"] == 1
    assert settings["bootstrap"]["level"] == 0.95


def test_without_any_judged_image_there_are_no_means(judged):
    judged.lines[:] = LINES[3:]
    values = report.report("procedural", Procedural(), judged)
    assert values["images"] == 0
    assert values["metrics"] == {}
    assert len(values["failed"]) == 1
    assert report.table_rows(values)[0][:2] == ["images", "method"]


def test_the_interval_covers_the_mean_and_shrinks_with_more_images():
    generator = np.random.default_rng(1)
    few, many = generator.normal(size=20), generator.normal(size=2000)
    widths = []
    for sample in (few, many):
        low, high = report.interval(sample)
        assert low < sample.mean() < high
        # For means of many images the bootstrap is the normal interval.
        assert high - low == pytest.approx(2 * 1.96 * sample.std() / len(sample) ** 0.5, rel=0.1)
        widths.append(high - low)
    assert widths[1] < widths[0]
    assert report.interval(few) == report.interval(few)


def test_files_are_json_and_one_line_per_image(values, tmp_path):
    report.write(tmp_path, "procedural-m", values, LINES)
    assert json.loads((tmp_path / "procedural-m.json").read_text()) == values
    with (tmp_path / "procedural-m.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ["a", "b", "c", "d"]
    assert float(rows[2]["abs_rel"]) == 0.3
    assert float(rows[0]["row.abs_rel"]) == 0.4
    assert rows[3]["problem"] == "prediction is not finite"
    assert rows[3]["abs_rel"] == ""


def test_the_table_has_the_model_beside_its_rivals(values):
    heading, *rows = report.table_rows(values)
    assert heading == ["images", "method", "abs_rel", "delta1"]
    assert [row[:2] for row in rows[:3]] == [
        ["all (3)", "m"],
        ["all (3)", "row"],
        ["all (3)", "constant"],
    ]
    assert rows[0][2] == "0.2"
    assert len(rows) == 9
