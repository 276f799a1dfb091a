import numpy as np
import pytest
import torch

from monostep.evaluation.sets.stretched import stretched


def image(codes):
    return torch.from_numpy(np.asarray(codes, np.uint8)).permute(2, 0, 1).float() / 255


def codes(picture):
    return (255 * picture).round().permute(1, 2, 0).to(torch.uint8).numpy()


def by_the_book(levels):
    """DSINE's loader and then E2E-FT's driver, in numpy's float32."""
    values = levels.astype(np.float32) / np.float32(255)
    values -= np.array((0.485, 0.456, 0.406), np.float32)
    values /= np.array((0.229, 0.224, 0.225), np.float32)
    low, high = float(values.min()), float(values.max())
    return ((values - np.float32(low)) / np.float32(high - low) * np.float32(255)).astype(np.uint8)


def test_black_and_white_become_the_known_colours():
    both = stretched(image([[[0, 0, 0], [255, 255, 255]]]))
    assert codes(both).tolist() == [[[0, 4, 16], [234, 243, 255]]]


def test_colours_follow_the_known_lines_where_an_image_has_black_and_white():
    levels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    levels[0, :2] = [[0, 0, 0], [255, 255, 255]]
    lines = levels / 255 * (0.918, 0.938, 0.934) + (0, 0.017, 0.066)
    got = codes(stretched(image(levels))) / 255
    assert np.abs(got + 0.5 / 255 - lines).max() < 1.2 / 255  # truncated: half a level lower


@pytest.mark.parametrize("span", [(0, 256), (90, 130), (200, 203)])
def test_every_level_equals_the_reference_arithmetic(span):
    levels = np.random.default_rng(1).integers(*span, (60, 70, 3), dtype=np.uint8)
    np.testing.assert_array_equal(codes(stretched(image(levels))), by_the_book(levels))


def test_low_contrast_is_stretched_over_all_levels_of_all_channels_together():
    levels = np.random.default_rng(2).integers(100, 110, (20, 20, 3), dtype=np.uint8)
    got = codes(stretched(image(levels)))
    assert (got.min(), got.max()) == (0, 255)
    per_channel = got.reshape(-1, 3)
    assert (per_channel.max(axis=0) < 255).any() and (per_channel.min(axis=0) > 0).any()


def test_the_order_of_levels_is_kept_in_each_channel():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    got = codes(stretched(image(ramp)))[0].astype(int)
    assert (np.diff(got, axis=0) >= 0).all()
    assert (np.diff(got, axis=0) == 0).any()  # and some levels fall together


def test_one_grey_alone_becomes_a_colour_of_full_contrast():
    got = codes(stretched(image(np.full((3, 4, 3), 128))))
    assert set(got[..., 0].ravel()) == {0} and set(got[..., 2].ravel()) == {255}


def test_results_are_levels_of_8_bits_and_the_input_is_kept():
    picture = image(np.random.default_rng(3).integers(0, 256, (9, 9, 3)))
    before = picture.clone()
    got = stretched(picture)
    assert torch.equal(picture, before)
    assert torch.equal((255 * got).round() / 255, got)
