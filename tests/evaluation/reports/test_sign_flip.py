from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test

from monostep.evaluation.reports import sign_flip


def _all_signs(difference):
    sums = [abs(np.dot(signs, difference)) for signs in product((-1, 1), repeat=len(difference))]
    return np.mean(np.array(sums) >= abs(difference.sum()) - 1e-12)


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_for_few_images_it_is_exact(count):
    difference = np.random.default_rng(count).normal(0.5, 1, size=count)
    assert sign_flip.p_value(difference) == _all_signs(difference)


def test_zero_differences_do_not_count_as_evidence():
    difference = np.array([0.0, 0.3, 0.0, 0.2, 0.4])
    assert sign_flip.p_value(difference) == _all_signs(difference) == 0.25


@pytest.mark.parametrize("values", [[0.1, 0.2, 0.3, -0.6], [0.1] * 3 + [0.3, -0.6]])
def test_sums_that_cancel_are_as_far_from_zero_as_any(values):
    """Exactly these sum to 0, to which rounding adds a little."""
    assert sign_flip.p_value(np.array(values)) == 1


def test_nothing_differs():
    assert sign_flip.p_value(np.zeros(30)) == 1


def test_drawn_signs_agree_with_scipy():
    difference = np.random.default_rng(2).normal(0.25, 1, size=60)
    theirs = permutation_test(
        (difference, np.zeros(60)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    )
    found = sign_flip.p_value(difference)
    assert 0.01 < found < 0.2
    assert found == pytest.approx(theirs.pvalue, abs=0.01)


@pytest.mark.parametrize("count", [8, 60])
def test_order_and_sign_of_all_do_not_matter(count):
    generator = np.random.default_rng(7)
    difference = generator.normal(0.3, 1, size=count)
    found = sign_flip.p_value(difference)
    assert sign_flip.p_value(-difference) == found
    assert sign_flip.p_value(generator.permutation(difference)) == found


def test_under_no_difference_p_is_uniform():
    generator = np.random.default_rng(11)
    p_values = [sign_flip.p_value(generator.normal(size=12)) for _ in range(300)]
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.06)


def test_a_clear_difference_is_found_and_p_is_never_zero():
    found = sign_flip.p_value(np.full(100, 0.1))
    assert 0 < found < 1e-3
