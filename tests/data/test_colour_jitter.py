import colorsys

import numpy as np
import pytest
import torch
from skimage.color import hsv2rgb, rgb2hsv

from monostep.data.colour_jitter import Jitter, blend, grey, jittered, turned


@pytest.fixture
def image():
    return torch.rand(3, 12, 16, generator=torch.Generator().manual_seed(0))


# laws


def test_a_whole_turn_of_the_hue_is_none(image):
    for turn in (0.0, 1.0, -1.0):
        torch.testing.assert_close(turned(image, turn), image, rtol=0, atol=1e-6)


def test_turns_add_up_and_can_be_undone(image):
    torch.testing.assert_close(
        turned(turned(image, 0.13), 0.29), turned(image, 0.42), rtol=0, atol=2e-6
    )
    torch.testing.assert_close(turned(turned(image, 0.2), -0.2), image, rtol=0, atol=2e-6)


def test_a_third_of_a_turn_moves_the_channels_on(image):
    torch.testing.assert_close(turned(image, 1 / 3), image.roll(1, 0), rtol=0, atol=2e-6)


def test_grey_stays_grey_whatever_its_hue():
    even = torch.rand(1, 5, 6).expand(3, 5, 6)
    torch.testing.assert_close(turned(even, 0.17), even, rtol=0, atol=1e-6)
    torch.testing.assert_close(grey(even), even[:1], rtol=0, atol=1e-6)


def test_a_blend_with_share_1_is_the_image(image):
    assert torch.equal(blend(image, torch.zeros_like(image), 1.0), image)


def test_no_jitter_changes_nothing_and_jitter_stays_in_range(image):
    still = Jitter(brightness=0, contrast=0, saturation=0, hue=0)
    generator = torch.Generator().manual_seed(1)
    torch.testing.assert_close(jittered(image, still, generator), image, rtol=0, atol=1e-5)
    for seed in range(20):
        changed = jittered(image, Jitter(), torch.Generator().manual_seed(seed))
        assert changed.shape == image.shape
        assert 0 <= changed.min() <= changed.max() <= 1
        assert not torch.equal(changed, image)


def test_the_generator_decides_everything(image):
    first, again, other = (
        jittered(image, Jitter(), torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


# agreement


@pytest.mark.parametrize("turn", [-0.2, 0.07, 0.2])
def test_the_hue_turns_as_in_scikit_image_and_the_standard_library(image, turn):
    hsv = rgb2hsv(image.double().permute(1, 2, 0).numpy())
    hsv[..., 0] = (hsv[..., 0] + turn) % 1
    expected = hsv2rgb(hsv)
    ours = turned(image.double(), turn).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-6)
    hue, saturation, value = colorsys.rgb_to_hsv(*image.double()[:, 2, 3].tolist())
    pixel = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
    np.testing.assert_allclose(ours[2, 3], pixel, atol=1e-6)


def test_luma_of_the_primaries():
    primaries = torch.eye(3)[:, :, None]
    assert grey(primaries).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])
