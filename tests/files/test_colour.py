import numpy as np
import pytest
from PIL import Image, ImageCms

from monostep.files.colour import is_srgb, over_white, to_srgb

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile():
    """Return sRGB with the primaries red and blue exchanged, under another name."""
    swap = SRGB.replace(b"rXYZ", b"tmp!").replace(b"bXYZ", b"rXYZ").replace(b"tmp!", b"bXYZ")
    return swap.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_a_profile_with_exchanged_primaries_exchanges_the_channels():
    pixels = noise(8, 9, 3)
    converted, changes = to_srgb(Image.fromarray(pixels), swapped_profile())
    assert np.abs(np.asarray(converted).astype(int) - pixels[..., ::-1]).max() <= 2
    assert changes == ("ICC profile 'swap built-in' to sRGB",)


def test_srgb_is_left_bit_for_bit():
    pixels = noise(8, 9, 3)
    converted, changes = to_srgb(Image.fromarray(pixels), SRGB)
    np.testing.assert_array_equal(np.asarray(converted), pixels)
    assert changes == ()
    assert is_srgb(SRGB)
    assert not is_srgb(swapped_profile())


@pytest.mark.parametrize("profile", [b"", b"nonsense", SRGB[:200]])
def test_a_bad_profile_is_ignored_and_said(profile):
    pixels = noise(4, 4, 3)
    converted, changes = to_srgb(Image.fromarray(pixels), profile)
    np.testing.assert_array_equal(np.asarray(converted), pixels)
    assert any("ignored" in change for change in changes)
    assert not is_srgb(profile)


def test_a_profile_of_another_colour_space_is_ignored_and_said():
    converted, changes = to_srgb(Image.new("CMYK", (2, 2), (0, 255, 255, 0)), SRGB)
    assert converted.getpixel((0, 0)) == (255, 0, 0)
    assert changes[0] == "converted from CMYK"
    assert "ignored" in changes[1]


@pytest.mark.parametrize("mode", ["1", "L", "P", "YCbCr", "HSV", "CMYK"])
def test_every_8_bit_mode_becomes_rgb_as_pillow_converts_it(mode):
    image = Image.fromarray(noise(5, 6, 3)).convert(mode)
    converted, _ = to_srgb(image, None)
    np.testing.assert_array_equal(np.asarray(converted), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_over_white_is_the_formula(kind, channels):
    white = 1 if kind == np.float32 else np.iinfo(kind).max
    unit = np.random.default_rng(1).random((20, 30, channels))
    unit[0], unit[1, ..., -1], unit[2, ..., -1] = 1, 0, 1
    samples = (unit * white).astype(kind)
    blended, changes = over_white(samples)
    colour, alpha = (part.astype(np.float64) / white for part in np.split(samples, [-1], axis=2))
    exact = (colour * alpha + 1 - alpha) * white
    tolerance = 1e-6 if kind == np.float32 else 0.5 + 1e-9
    assert blended.dtype == kind
    assert np.abs(blended - exact).max() <= tolerance
    assert changes == ("alpha composited on white",)


def test_opaque_alpha_changes_nothing():
    samples = np.dstack([noise(3, 4, 3), np.full((3, 4), 255, np.uint8)])
    blended, changes = over_white(samples)
    np.testing.assert_array_equal(blended, samples[..., :3])
    assert changes == ()
    assert over_white(samples[..., :3]) == (pytest.approx(samples[..., :3]), ())
