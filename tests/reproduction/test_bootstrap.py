import numpy as np
import pytest

from monostep.reproduction.bootstrap import ratio


def _errors(seed, seeds=3, scenes=40, between=0.0):
    draw = np.random.default_rng(seed)
    return draw.gamma(4.0, 0.05, (seeds, scenes)) * np.exp(between * draw.normal(size=(seeds, 1)))


def test_ratio_with_itself_is_one_without_width():
    one = ratio([_errors(0)], [_errors(0)])
    assert (one.value, one.low, one.high) == pytest.approx((1, 1, 1), abs=1e-12)


def test_scale_of_both_does_not_matter_and_of_one_is_a_factor():
    one, both = ratio([_errors(0)], [_errors(1)]), ratio([7 * _errors(0)], [7 * _errors(1)])
    three = ratio([3 * _errors(0)], [_errors(1)])
    assert (both.low, both.high) == pytest.approx((one.low, one.high))
    assert (three.low, three.high) == pytest.approx((3 * one.low, 3 * one.high))


def test_differences_between_seeds_widen_the_interval():
    alike, apart = ratio([_errors(0)], [_errors(1)]), ratio([_errors(0, between=1.0)], [_errors(1)])
    assert np.log(apart.high / apart.low) > 1.5 * np.log(alike.high / alike.low)


def test_interval_holds_the_truth_about_as_often_as_it_says():
    found = [ratio([_errors(k, 1)], [_errors(1000 + k, 1)], rounds=400) for k in range(100)]
    assert 85 <= sum(one.low <= 1 <= one.high for one in found) <= 100


def test_one_side_may_have_one_seed_but_others_are_paired():
    assert (
        ratio([_errors(0)], [_errors(1, seeds=1)]).low
        < ratio([_errors(0)], [_errors(1, seeds=1)]).high
    )
    with pytest.raises(ValueError, match="expected equal ones"):
        ratio([_errors(0)], [_errors(1, seeds=2)])


def test_the_best_of_several_is_found_anew_in_every_round():
    one, several = [_errors(0)], [_errors(seed) for seed in (1, 2, 3)]
    best = ratio(one, several)
    each = [ratio(one, [other]) for other in several]
    assert best.value == max(other.value for other in each)
    assert best.low >= max(other.low for other in each)
    assert best.high >= max(other.high for other in each)
