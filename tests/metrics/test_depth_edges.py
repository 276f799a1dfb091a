import numpy as np
import pytest
import torch
from scipy import ndimage

from monostep.metrics import depth_edges


@pytest.fixture
def depth_m():
    generator = torch.Generator().manual_seed(0)
    return torch.exp(0.15 * torch.randn(20, 30, generator=generator, dtype=torch.float64))


def test_the_ten_ratios_rise_evenly_from_5_to_25_percent():
    assert pytest.approx(np.linspace(1.05, 1.25, 10)) == depth_edges.RATIOS


@pytest.mark.parametrize("axis", [0, 1])
def test_steepness_and_levels_agree_with_numpy(depth_m, axis):
    steepness = depth_edges.steepness(depth_m, axis)
    expected = np.exp(np.abs(np.diff(np.log(depth_m.numpy()), axis=axis)))
    np.testing.assert_allclose(steepness, expected, rtol=1e-12)
    levels = depth_edges.levels(steepness.flatten()).numpy()
    more = expected.flatten()[:, None] > np.linspace(1.05, 1.25, 10)
    np.testing.assert_array_equal(levels, more.sum(axis=1))


def test_a_pair_at_a_ratio_does_not_exceed_it():
    exact = depth_edges.limits(torch.zeros(1))
    assert depth_edges.levels(exact).tolist() == list(range(10))
    assert depth_edges.levels(exact.nextafter(torch.tensor(9.0))).tolist() == list(range(1, 11))


def test_both_ends_of_an_edge_are_marked_and_holes_make_none():
    depth_m = torch.tensor([[1.0, 1.0, 2.0, 2.0, 4.0, 4.0]])
    valid = torch.tensor([[True, True, True, True, False, True]])
    expected = [[False, True, True, False, False, False]]
    assert depth_edges.edge_pixels(depth_m, valid).tolist() == expected
    turned = depth_edges.edge_pixels(depth_m.T, valid.T)
    assert turned.T.tolist() == expected


@pytest.mark.parametrize("distance_px", [0, 1, 3, 40])
def test_near_is_a_dilation_by_a_square(distance_px):
    mask = torch.rand(25, 31, generator=torch.Generator().manual_seed(1)) > 0.99
    square = np.ones((2 * distance_px + 1,) * 2, bool)
    expected = ndimage.binary_dilation(mask.numpy(), square)
    np.testing.assert_array_equal(depth_edges.near(mask, distance_px), expected)
