import math

import numpy as np
import pytest

from monostep.benchmark.differences import by_map, difference, worst


def test_a_difference_is_over_all_pixels_and_nan_agrees_with_nothing():
    reference = np.linspace(0, 1, 12, dtype=np.float32).reshape(2, 3, 2)
    other = reference.copy()
    other[0, 0, 0] += 0.5
    told = difference(other, reference)
    assert told.largest == pytest.approx(0.5)
    assert told.mean == pytest.approx(0.5 / 12)
    assert not told.equal(1e-4)
    assert difference(reference, reference).equal(1e-4)
    broken = difference(np.full_like(reference, np.nan), reference)
    assert math.isnan(broken.largest)
    assert not broken.equal(1e-4)
    assert broken.as_dict() == {"largest": None, "mean": None, "spread": told.spread}


def test_constants_that_agree_prove_nothing():
    flat = np.zeros((2, 2, 1), dtype=np.float32)
    assert not difference(flat, flat).equal(1e-4)


def test_the_two_maps_of_a_joint_model_are_told_apart():
    reference = np.random.default_rng(0).random((4, 5, 4), dtype=np.float32)
    other = reference.copy()
    other[1, 2, 0] += 0.25
    other[3, 0, 3] += 0.5
    apart = by_map(other, reference)
    assert list(apart) == ["depth", "normals"]
    assert apart["depth"].largest == pytest.approx(0.25)
    assert apart["normals"].largest == pytest.approx(0.5)
    assert list(by_map(reference[..., :1], reference[..., :1])) == ["depth"]
    assert list(by_map(reference[..., :3], reference[..., :3])) == ["normals"]


def test_the_worst_of_both_counts_and_one_constant_map_proves_nothing():
    reference = np.random.default_rng(0).random((4, 5, 4), dtype=np.float32)
    reference[..., 0] = 0.5
    told = worst(by_map(reference, reference))
    assert (told.largest, told.spread) == (0, 0)
    assert not told.equal(1e-4)
    broken = reference.copy()
    broken[0, 0, 2] = np.nan
    assert math.isnan(worst(by_map(broken, reference)).largest)
