import json

import pytest

from monostep.evaluation.papers import published
from monostep.evaluation.papers.cells import before, is_whole, planned, scored, unscored

E2E = published.TABLES["1"].rows["marigold-e2e"]
NORMALS = published.TABLES["2"].rows["marigold-e2e"]


def _report(abs_rel=0.0523, delta1=0.9664, **changes):
    return {
        "metrics": {"abs_rel": abs_rel, "delta1": delta1},
        "failed": [],
        "images": 654,
        "data": {"missing": 0, "is_reference_list": True},
    } | changes


def test_a_planned_row_has_all_that_is_printed():
    values = planned("marigold-e2e", E2E)
    assert values["benchmarks"]["nyuv2"] == {"published": [5.2, 96.6]}
    assert values["run"]["checkpoint"] == "GonzaloMG/marigold-e2e-ft-depth"
    assert (values["run"]["steps"], values["run"]["noise"]) == (1, "zeros")
    assert values["protocol"] == "marigold-2024"
    assert values["tolerance"] == published.tolerance(E2E)


def test_ours_is_in_the_units_of_the_paper():
    cell = scored(E2E, E2E.cells["nyuv2"], _report(), "nyuv2.json")
    assert cell["ours"] == pytest.approx([5.23, 96.64])
    assert cell["difference"] == pytest.approx([0.03, 0.04])
    assert cell["within"] is True
    assert cell["report"] == "nyuv2.json"
    report = _report() | {"metrics": {"mean_angle_deg": 16.5, "within_11.25_deg": 0.614}}
    cell = scored(NORMALS, NORMALS.cells["nyuv2-normals"], report, "n.json")
    assert cell["ours"] == pytest.approx([16.5, 61.4])
    assert cell["difference"] == pytest.approx([0.3, 0])
    assert cell["within"] is False


@pytest.mark.parametrize(
    ("error", "share", "within"),
    [
        (0.053, 0.966, True),  # exactly the tolerance away
        (0.0531, 0.966, False),
        (0.052, 0.9649, False),
        (0.0511, 0.967, True),
    ],
)
def test_within_means_both_metrics(error, share, within):
    assert scored(E2E, (5.2, 96.6), _report(error, share), "")["within"] is within


@pytest.mark.parametrize(
    "changes",
    [
        {"failed": [{"image": "a", "reason": "r"}]},
        {"without_value": {"abs_rel": 200}},
        {"data": {"missing": 1}},
        {"data": {"is_reference_list": False}},
        {"data": {"only_first": 3}},
    ],
)
def test_a_part_of_the_images_proves_nothing(changes):
    report = _report(**changes)
    assert not is_whole(report, "depth")
    cell = scored(E2E, (5.2, 96.6), report, "")
    assert cell["within"] is None
    assert "654 images" in cell["reason"]
    assert cell["ours"] is not None


def test_metrics_that_are_not_printed_may_have_no_value():
    assert is_whole(_report(without_value={"boundary_f1": 200}), "depth")


def test_a_report_of_an_earlier_run_makes_the_same_cell(tmp_path):
    path = tmp_path / "nyuv2-paper-x.json"
    assert before(E2E, "nyuv2", path) is None
    report = _report() | {"benchmark": "nyuv2", "protocol": "marigold-2024"}
    path.write_text(json.dumps(report))
    assert before(E2E, "nyuv2", path) == scored(E2E, E2E.cells["nyuv2"], report, path.name)
    assert before(E2E, "kitti", path) is None
    for damaged in ("{", json.dumps({**report, "protocol": "monostep-1"}), '{"benchmark": 1}'):
        path.write_text(damaged)
        assert before(E2E, "nyuv2", path) is None


def test_no_score_has_a_reason():
    assert scored(E2E, (5.2, 96.6), _report() | {"metrics": {}}, "x.json") == {
        **unscored("no image could be judged"),
        "report": "x.json",
    }
