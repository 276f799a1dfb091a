import math

import numpy as np
import pytest
from PIL import Image, ImageOps

from monostep.files.decoded import quiet
from monostep.files.orientation import (
    exif_facts,
    focal_px,
    positive,
    upright,
    valid_orientation,
)

STORED = np.arange(2 * 3 * 1, dtype=np.uint8).reshape(2, 3, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_agree_with_pillow(orientation):
    image = Image.fromarray(STORED[..., 0])
    image.getexif()[274] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    turned = upright(STORED, orientation)
    np.testing.assert_array_equal(turned[..., 0], expected)
    assert turned.flags.c_contiguous


@pytest.mark.parametrize("value", [0, 9, -1, None, "6", (6,), 6.0])
def test_an_orientation_outside_the_standard_counts_as_upright(value):
    assert valid_orientation(value) == 1


@pytest.mark.parametrize("value", [0, -1, None, "lens", math.inf, math.nan, (28,)])
def test_a_focal_length_that_is_none_is_unknown(value):
    assert positive(value) is None


def test_focal_length_in_pixels_is_the_diagonals_share():
    # A 24 x 36 frame of 2400 x 3600 pixels has 100 pixels a millimetre.
    assert focal_px(50.0, 2400, 3600) == pytest.approx(5000)
    assert focal_px(50.0, 3600, 2400) == pytest.approx(5000)
    assert focal_px(None, 3600, 2400) is None


def test_exif_facts_are_read_and_damaged_exif_is_none():
    image = Image.new("L", (2, 2))
    exif = image.getexif()
    exif[274] = 6
    exif.get_ifd(0x8769)[0xA405] = 28
    assert exif_facts(image) == (6, 28.0)
    damaged = Image.new("L", (2, 2))
    damaged.info["exif"] = b"Exif\0\0II*\0\xff\xff\xff\xff"
    with quiet():
        assert exif_facts(damaged) == (1, None)
