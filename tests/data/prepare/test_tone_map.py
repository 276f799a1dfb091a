import numpy as np
import pytest

from monostep.data.prepare.tone_map import exposure, tone_map

ALL = np.ones((12, 16), bool)


def linear(seed=0):
    return np.random.default_rng(seed).gamma(1.0, 2.0, (12, 16, 3))


def published(colour, valid):
    """The formula in its own words: percentile of brightness to 0.8, gamma 2.2, truncation."""
    bright = 0.3 * colour[..., 0] + 0.59 * colour[..., 1] + 0.11 * colour[..., 2]
    high = np.percentile(bright[valid], 90)
    scale = 0.0 if high < 1e-4 else np.power(0.8, 2.2) / high
    return np.trunc(np.clip(np.power(np.maximum(scale * colour, 0), 1 / 2.2), 0, 1) * 255)


@pytest.mark.parametrize("factor", [1e-3, 0.5, 3e4])
def test_the_exposure_of_the_render_does_not_matter(factor):
    a, b = tone_map(linear(), ALL), tone_map(factor * linear(), ALL)
    assert np.abs(a.astype(int) - b).max() <= 1  # truncation may fall either way
    assert (a != b).mean() < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_the_published_formula(seed):
    valid = np.random.default_rng(seed + 10).random((12, 16)) > 0.3
    assert np.array_equal(tone_map(linear(seed), valid), published(linear(seed), valid))


def test_pixels_without_surface_do_not_set_the_exposure():
    colour, valid = linear(), ALL.copy()
    colour[:3], valid[:3] = 1e4, False
    assert np.array_equal(tone_map(colour, valid)[3:], tone_map(linear()[3:], ALL[3:]))


def test_nine_tenths_are_below_eight_tenths_of_white():
    grey = np.linspace(0, 7, 1001)[:, None] * np.ones(3)
    assert exposure(grey) * np.percentile(grey, 90) == pytest.approx(0.8**2.2)


def test_dark_images_are_black_and_empty_ones_keep_their_exposure():
    assert tone_map(np.full((12, 16, 3), 5e-5), ALL).max() == 0
    assert tone_map(np.full((12, 16, 3), 0.5), ~ALL)[0, 0, 0] == int(0.5 ** (1 / 2.2) * 255)


def test_what_is_no_number_is_black_and_what_is_infinite_white():
    colour = linear().astype(np.float16)
    colour[0, 0], colour[0, 1], colour[0, 2] = np.nan, np.inf, -np.inf
    out = tone_map(colour, ALL)
    assert out[0, 0].max() == 0
    assert out[0, 1].min() == 255
    assert out[0, 2].max() == 0
