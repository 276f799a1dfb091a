import pytest

from monostep.evaluation.reports import units
from monostep.metrics import boundaries, depth, normals


def test_every_metric_has_a_label():
    names = [*getattr(depth, "NAMES", ()), *boundaries.NAMES, *normals.NAMES]
    assert len(names) >= 13
    labels = [units.label(name) for name in names]
    assert len(set(labels)) == len(labels)
    assert units.label("within_11.25_deg") == "below 11.25 degrees, %"


def test_labels_say_percent_exactly_where_values_are_scaled():
    for name in ("abs_rel", "delta2", "within_5_deg", "boundary_f1", "abs_rel_off_edges"):
        assert units.scale(name) == 100
        assert units.label(name).endswith("%")
    for name in ("rmse_m", "silog", "mean_angle_deg", "sq_rel", "log10"):
        assert units.scale(name) == 1
        assert "%" not in units.label(name)


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [("abs_rel", 0.05234, "5.234"), ("mean_angle_deg", 16.2, "16.2"), ("delta1", None, "-")],
)
def test_values_are_printed_in_their_unit(metric, value, expected):
    assert units.printed(metric, value) == expected
