import pytest

from monostep.evaluation import scores
from monostep.evaluation.rules import DepthRules, NormalsRules
from monostep.evaluation.scores import PRIMARY, Line, larger_is_better


def test_depth_has_ten_metrics_and_edges_where_the_rules_want_them():
    plain = scores.names(DepthRules(protocol="p"))
    with_edges = scores.names(DepthRules(protocol="p", boundaries=True))
    assert plain == (
        *("abs_rel", "sq_rel", "rmse_m", "rmse_log", "log10"),
        *("delta1", "delta2", "delta3", "i_rmse_per_m", "silog"),
    )
    assert with_edges[:10] == plain
    assert set(with_edges[10:]) == {
        *("boundary_precision", "boundary_recall", "boundary_f1"),
        *("abs_rel_near_edges", "abs_rel_off_edges"),
    }


@pytest.mark.parametrize("pooled", [True, False])
def test_normals_have_eight(pooled):
    names = scores.names(NormalsRules(protocol="p", pooled=pooled))
    assert len(names) == 8
    assert {"mean_angle_deg", "median_angle_deg", "within_7.5_deg"} < set(names)


def test_shares_grow_when_things_go_well_and_errors_do_not():
    for name in ("delta1", "within_11.25_deg", "boundary_recall", "boundary_f1"):
        assert larger_is_better(name)
    for name in ("abs_rel", "silog", "rmse_angle_deg", "abs_rel_near_edges", *PRIMARY.values()):
        assert not larger_is_better(name)


def test_a_line_with_a_problem_needs_no_scores():
    assert Line(image="a", stratum="", pixels=0, problem="damaged").scores == {}
