import numpy as np
import pytest

from monostep.evaluation.reports.summary import MEDIAN, pooled, summary, table
from monostep.evaluation.scores import MODEL, Line
from monostep.metrics import normals

DEPTH = ("abs_rel", "delta1", "boundary_f1")


def _line(name, scores, *, pixels=10, rivals=None):
    return Line(image=name, stratum="all", pixels=pixels, scores={MODEL: scores, **(rivals or {})})


def _depth(name, value, *, edges=0.5, constant=0.4):
    return _line(
        name,
        {"abs_rel": value, "delta1": 1 - value, "boundary_f1": edges},
        rivals={
            "constant": {"abs_rel": constant, "delta1": 1 - constant, "boundary_f1": 0.0},
            "row": {"abs_rel": 0.5, "delta1": 0.7, "boundary_f1": 0.1},
        },
    )


def test_means_are_over_images():
    found = summary([_depth("a", 0.1), _depth("b", 0.2), _depth("c", 0.6)], DEPTH)
    assert found["images"] == 3
    assert found["metrics"]["abs_rel"] == pytest.approx(0.3, rel=1e-12)
    assert found["baselines"]["row"]["delta1"] == pytest.approx(0.7, rel=1e-12)
    low, high = found["confidence"]["abs_rel"]
    assert 0.1 <= low < 0.3 < high <= 0.6


def test_the_ratio_is_to_the_best_baseline_of_each_metric():
    found = summary([_depth("a", 0.2)], DEPTH)["ratio_to_best_baseline"]
    assert found["abs_rel"] == pytest.approx(0.2 / 0.4)
    assert found["delta1"] == pytest.approx(0.8 / 0.7)
    assert found["boundary_f1"] == pytest.approx(5)
    alone = summary([_line("a", {"abs_rel": 0.1})], ("abs_rel",))
    assert alone["ratio_to_best_baseline"] == {"abs_rel": None}


def test_an_image_without_a_value_is_left_out_of_that_metric_only_and_counted():
    nan = float("nan")
    found = summary([_depth("a", 0.1, edges=nan), _depth("b", 0.3, edges=0.2)], DEPTH)
    assert found["without_value"] == {"boundary_f1": 1}
    assert found["metrics"]["boundary_f1"] == pytest.approx(0.2)
    assert found["metrics"]["abs_rel"] == pytest.approx(0.2)
    assert found["images"] == 2


def test_an_infinite_score_is_a_value_and_spoils_the_mean():
    found = summary([_depth("a", 0.1), _depth("b", float("inf"))], DEPTH)
    assert found["metrics"]["abs_rel"] == float("inf")
    assert found["without_value"] == {}


def test_no_image_has_no_means():
    assert summary([], DEPTH) == {"images": 0, "metrics": {}, "confidence": {}, "baselines": {}}


@pytest.fixture
def angles():
    """Angles of four images of very different sizes."""
    generator = np.random.default_rng(4)
    return [generator.gamma(2, 10, size=count).clip(0, 180) for count in (7, 400, 2500, 31)]


def _scores(angle_deg):
    values = [angle_deg.mean(), np.median(angle_deg), np.sqrt((angle_deg**2).mean())]
    values += [(angle_deg < degrees).mean() for degrees in normals.WITHIN_DEG]
    return dict(zip(normals.NAMES, map(float, values), strict=True))


def test_pooled_scores_are_those_of_all_pixels_together(angles):
    lines = [_line(str(i), _scores(one), pixels=len(one)) for i, one in enumerate(angles)]
    found = pooled(lines, normals.NAMES)["metrics"]
    expected = _scores(np.concatenate(angles))
    del expected[MEDIAN]
    assert found == pytest.approx(expected, rel=1e-12)
    assert list(found) == [name for name in normals.NAMES if name != MEDIAN]


def test_pooled_intervals_resample_images_with_their_pixels(angles):
    lines = [_line(str(i), _scores(one), pixels=len(one)) for i, one in enumerate(angles)]
    found = pooled(lines, normals.NAMES)["confidence"]
    generator = np.random.default_rng(0)
    chosen = generator.integers(4, size=(2000, 4))
    drawn = [np.concatenate([angles[i] for i in one]) for one in chosen]
    roots = [np.sqrt((one**2).mean()) for one in drawn]
    means = [one.mean() for one in drawn]
    for name, values in (("rmse_angle_deg", roots), ("mean_angle_deg", means)):
        np.testing.assert_allclose(found[name], np.quantile(values, (0.025, 0.975)), rtol=1e-5)


def test_images_of_one_size_pool_to_the_mean_over_images(angles):
    lines = [_line(str(i), _scores(one), pixels=100) for i, one in enumerate(angles)]
    over_pixels, over_images = pooled(lines, normals.NAMES), summary(lines, normals.NAMES)
    name = "within_11.25_deg"
    assert over_pixels["metrics"][name] == pytest.approx(over_images["metrics"][name])


def test_the_table_has_nan_where_a_method_has_no_value():
    found = table([_line("a", {"abs_rel": 0.25})], MODEL, DEPTH)
    np.testing.assert_array_equal(found, [[0.25, np.nan, np.nan]])
