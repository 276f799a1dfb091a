import numpy as np
import pytest

from monostep.evaluation.reports import bootstrap


def _naive(values, weights, seed=bootstrap.SEED):
    """Resample by resample, in plain loops over the same draws."""
    generator = np.random.default_rng(seed)
    chosen = generator.integers(len(values), size=(bootstrap.RESAMPLES, len(values)))
    replicates = []
    for one in chosen:
        known = np.isfinite(values[one])
        if known.any():
            replicates.append(np.average(values[one][known], weights=weights[one][known]))
    return np.quantile(replicates, (0.025, 0.975))


@pytest.fixture
def sample():
    generator = np.random.default_rng(3)
    values = generator.normal(size=(40, 2))
    values[::7, 1] = np.nan
    return values, generator.uniform(1, 9, size=40)


def test_means_are_weighted_and_leave_nan_out(sample):
    values, weights = sample
    found = bootstrap.means(values, weights)
    known = np.isfinite(values[:, 1])
    assert found[0] == pytest.approx(np.average(values[:, 0], weights=weights), rel=1e-12)
    assert found[1] == pytest.approx(
        np.average(values[known, 1], weights=weights[known]), rel=1e-12
    )


def test_intervals_equal_plain_loops(sample):
    values, weights = sample
    found = bootstrap.intervals(values, weights)
    for column in range(2):
        np.testing.assert_allclose(found[column], _naive(values[:, column], weights), rtol=1e-9)


def test_drawing_in_parts_draws_the_same():
    whole = np.concatenate(list(bootstrap.counts_of(37)))
    parts = np.concatenate(list(bootstrap.counts_of(37, at_once=37 * 11)))
    assert np.array_equal(whole, parts)
    assert whole.shape == (bootstrap.RESAMPLES, 37)
    assert (whole.sum(axis=1) == 37).all()


def test_equal_weights_and_a_factor_change_nothing(sample):
    values, weights = sample
    np.testing.assert_allclose(
        bootstrap.intervals(values, weights), bootstrap.intervals(values, 5 * weights), rtol=1e-12
    )


def test_for_many_images_the_interval_is_the_normal_one():
    widths = []
    for count in (50, 3000):
        values = np.random.default_rng(1).normal(size=(count, 1))
        low, high = bootstrap.intervals(values, np.ones(count))[0]
        assert low < values.mean() < high
        assert high - low == pytest.approx(2 * 1.96 * values.std() / count**0.5, rel=0.1)
        widths.append(high - low)
    assert widths[1] < widths[0]


def test_a_metric_without_any_value_has_no_mean():
    values = np.array([[np.nan], [np.nan]])
    assert np.isnan(bootstrap.means(values, np.ones(2))).all()
    assert np.isnan(bootstrap.intervals(values, np.ones(2))).all()


def test_what_is_infinite_is_not_left_out():
    values = np.array([[0.1, 1.0], [np.inf, np.nan], [0.2, 3.0]])
    assert bootstrap.means(values, np.ones(3)).tolist() == [np.inf, 2]
    (low, high), other = bootstrap.intervals(values, np.ones(3))
    assert np.isnan(low) and np.isnan(high)
    assert np.isfinite(other).all()


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(5)
    hits = 0
    for _ in range(60):
        values = generator.normal(size=(60, 1))
        low, high = bootstrap.intervals(values, np.ones(60))[0]
        hits += low < 0 < high
    assert 51 <= hits <= 60
