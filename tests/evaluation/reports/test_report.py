import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from monostep.evaluation.case import Case
from monostep.evaluation.judge import Judged, unjudgeable
from monostep.evaluation.reports import report
from monostep.evaluation.reports.summary import MEDIAN
from monostep.evaluation.rules import DepthRules, Input, NormalsRules
from monostep.evaluation.scores import MODEL, Line
from monostep.metrics import depth, normals
from monostep.metrics.angle_histogram import AngleHistogram

RULES = DepthRules(protocol="procedural-1", near_m=1e-3)
ABOUT = {
    "model": "m",
    "weights_sha256": "abc",
    "settings": {"inference": {"resolution": 64, "steps": 1}, "dtype": "float32"},
}


def _line(name, stratum, value, row, problem=None):
    if problem:
        return Line(image=name, stratum=stratum, pixels=0, problem=problem)
    scores = {
        method: {metric: number * (1 + place) for place, metric in enumerate(depth.NAMES)}
        for method, number in ((MODEL, value), ("row", row))
    }
    return Line(image=name, stratum=stratum, pixels=100, scores=scores)


LINES = [
    _line("a", "indoor", 0.1, 0.4),
    _line("b", "indoor", 0.2, 0.4),
    _line("c", "object", 1 / 3, 0.4),
    _line("d", "object", 0, 0, "prediction is not finite"),
    _line("e", "object", 0, 0, report.EMPTY),
]


@pytest.fixture
def judged():
    return Judged(
        name="m",
        about=ABOUT,
        task="depth",
        rules=RULES,
        benchmark={"images": 5, "list_sha256": "123", "missing": 2},
        lines=LINES,
    )


@pytest.fixture
def values(judged):
    return report.report("procedural", judged)


def test_means_are_over_images_and_leave_the_failed_out(values):
    assert values["images"] == 3
    assert values["metrics"]["abs_rel"] == pytest.approx((0.1 + 0.2 + 1 / 3) / 3, rel=1e-12)
    assert values["baselines"]["row"]["abs_rel"] == pytest.approx(0.4)
    assert values["failed"] == [
        {"image": "d", "reason": "prediction is not finite"},
        {"image": "e", "reason": report.EMPTY},
    ]
    assert (values["empty"], values["missing"]) == (1, 2)


def test_the_judge_uses_the_word_by_which_empty_images_are_counted():
    case = Case(
        name="a",
        stratum="",
        image=None,
        depth_m=torch.ones(2, 2),
        depth_valid=torch.zeros(2, 2, dtype=torch.bool),
    )
    assert unjudgeable(case, RULES) == report.EMPTY


def test_strata_have_the_same_entries(values):
    assert set(values["strata"]) == {"indoor", "object"}
    indoor = values["strata"]["indoor"]
    assert indoor["images"] == 2
    assert indoor["metrics"]["abs_rel"] == pytest.approx(0.15)
    assert set(indoor) <= set(values)


def test_every_choice_is_written_down(values):
    assert (values["benchmark"], values["protocol"]) == ("procedural", "procedural-1")
    assert (values["model"], values["weights_sha256"]) == ("m", "abc")
    assert values["data"]["list_sha256"] == "123"
    settings = values["settings"]
    assert settings["near_m"] == 1e-3
    assert settings["far_m"] is None  # JSON knows no infinity
    assert settings["input"] == {
        "resolution": None,
        "fit": "pad",
        "colours": "as they are",
        "domain": None,
    }
    assert settings["inference"]["resolution"] == 64
    assert settings["dtype"] == "float32"
    assert settings["bootstrap"]["level"] == 0.95


def test_without_any_judged_image_there_are_no_means(judged, tmp_path):
    values = report.report("procedural", replace(judged, lines=LINES[3:]))
    assert values["images"] == 0
    assert values["metrics"] == {}
    assert len(values["failed"]) == 2
    assert report.table_rows(values)[0][:2] == ["images", "method"]
    report.write(tmp_path, "p", values, LINES[3:])
    assert json.loads((tmp_path / "p.json").read_text()) == values


def test_files_are_json_and_one_line_per_image(values, tmp_path):
    report.write(tmp_path, "procedural-m", values, LINES)
    assert json.loads((tmp_path / "procedural-m.json").read_text()) == values
    rows = list(csv.DictReader(io.StringIO((tmp_path / "procedural-m.csv").read_text())))
    assert [row["image"] for row in rows] == ["a", "b", "c", "d", "e"]
    assert rows[0]["pixels"] == "100"
    assert float(rows[0]["row.abs_rel"]) == 0.4
    assert rows[3]["problem"] == "prediction is not finite"
    assert rows[3]["abs_rel"] == ""
    assert "| AbsRel, % | 21.11 |" in (tmp_path / "procedural-m.md").read_text()


def test_means_of_the_csv_are_those_of_the_json(values):
    rows = [
        row for row in csv.DictReader(io.StringIO(report.table_csv(LINES))) if not row["problem"]
    ]
    for name in depth.NAMES:
        mean = np.mean([float(row[name]) for row in rows])
        assert mean == pytest.approx(values["metrics"][name], rel=1e-8)


def test_a_metric_without_value_is_nan_in_the_csv_and_null_in_the_json(judged):
    rules = replace(RULES, boundaries=True)
    edges = {"boundary_f1": float("nan")}
    lines = [replace(LINES[0], scores={MODEL: {**LINES[0].scores[MODEL], **edges}})]
    values = report.report("procedural", replace(judged, rules=rules, lines=lines))
    assert values["metrics"]["boundary_f1"] is None
    assert values["confidence"]["boundary_f1"] == [None, None]
    assert values["without_value"]["boundary_f1"] == 1
    assert report.table_csv(lines).splitlines()[1].endswith(",nan")
    json.dumps(values, allow_nan=False)


def test_the_table_has_the_model_beside_its_rivals(values):
    heading, *rows = report.table_rows(values)
    assert heading == ["images", "method", "abs_rel", "delta1", "rmse_m", "silog"]
    assert [row[:2] for row in rows[:2]] == [["all (3)", "m"], ["all (3)", "row"]]
    assert rows[0][2] == "0.2111"
    assert len(rows) == 6


@pytest.fixture
def pooled():
    """Angles of three images of different size, judged by pooling."""
    generator = np.random.default_rng(0)
    histogram, lines, angles = AngleHistogram(), [], []
    for index, count in enumerate((50, 3001, 700)):
        angle = torch.from_numpy(generator.gamma(2, 8, size=count).clip(0, 180)).float()
        histogram.add(angle)
        angles.append(angle.numpy().astype(np.float64))
        scores = {MODEL: normals.scores(angle)}
        lines.append(Line(image=str(index), stratum="all", pixels=count, scores=scores))
    rules = NormalsRules(protocol="dsine-2024", input=Input(fit="reference"), pooled=True)
    judged = Judged(
        name="m",
        about=ABOUT,
        task="normals",
        rules=rules,
        benchmark={"list_sha256": "1"},
        lines=lines,
        histogram=histogram,
    )
    return report.report("sintel", judged), angles


def test_pooled_scores_are_numpys_over_all_pixels(pooled):
    values, angles = pooled
    together = np.concatenate(angles)
    expected = {
        "mean_angle_deg": together.mean(),
        MEDIAN: np.median(together),
        "rmse_angle_deg": np.sqrt((together**2).mean()),
    } | {f"within_{d:g}_deg": (together < d).mean() for d in normals.WITHIN_DEG}
    assert values["metrics"] == pytest.approx(expected, rel=1e-6)
    assert list(values["metrics"]) == list(normals.NAMES)


def test_pooled_reports_have_means_over_images_too(pooled):
    values, angles = pooled
    per_image = values["per_image"]["metrics"]
    assert per_image[MEDIAN] == pytest.approx(np.mean([np.median(one) for one in angles]), rel=1e-6)
    assert per_image["mean_angle_deg"] == pytest.approx(np.mean([one.mean() for one in angles]))


def test_the_pooled_median_has_no_interval(pooled):
    values, _ = pooled
    assert MEDIAN not in values["confidence"]
    assert MEDIAN in values["per_image"]["confidence"]
    assert set(values["confidence"]) == set(values["metrics"]) - {MEDIAN}
