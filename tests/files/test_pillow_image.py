import io

import numpy as np
import pytest
from PIL import Image

from monostep.errors import InputError
from monostep.files.pillow_image import decode

RNG = np.random.default_rng(0)
COLOURS = Image.fromarray(RNG.integers(0, 256, (6, 7, 3), dtype=np.uint8))


def test_16_bit_grey_is_neither_clipped_nor_cut():
    ramp = np.arange(256 * 256, dtype=np.uint16).reshape(256, 256)
    for image in (Image.fromarray(ramp), Image.fromarray(ramp.astype(np.int32))):
        samples = decode(image).samples
        assert samples.dtype == np.uint16
        np.testing.assert_array_equal(samples[..., 0], ramp)


def test_big_endian_grey_is_read_in_order():
    image = Image.frombytes("I;16B", (2, 1), b"\x01\x02\xff\x00")
    np.testing.assert_array_equal(decode(image).samples.ravel(), [0x0102, 0xFF00])


@pytest.mark.parametrize("value", [-1, 65536])
def test_integers_that_are_no_16_bit_grey_are_refused(value):
    with pytest.raises(InputError, match=f"span 0..65535, got .*{value}"):
        decode(Image.fromarray(np.array([[7, value]], np.int32)))


def test_float_grey_stays_float():
    values = RNG.random((3, 4)).astype(np.float32)
    np.testing.assert_array_equal(decode(Image.fromarray(values)).samples[..., 0], values)
    with pytest.raises(InputError, match=r"span 0\.\.1"):
        decode(Image.fromarray(values * 255))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "YCbCr", "CMYK"])
def test_modes_without_alpha_become_rgb(mode):
    image = COLOURS.convert(mode)
    np.testing.assert_array_equal(decode(image).samples, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA", "RGBa"])
def test_modes_with_alpha_keep_it(mode):
    image = COLOURS.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image = image.convert("LA").convert("PA") if mode == "PA" else image.convert(mode)
    assert decode(image).samples.shape == (6, 7, 4)
    np.testing.assert_array_equal(decode(image).samples, np.asarray(image.convert("RGBA")))


@pytest.mark.parametrize(("mode", "clear"), [("L", 7), ("P", 7), ("RGB", (7, 8, 9))])
def test_a_transparent_colour_becomes_alpha(mode, clear):
    image = Image.new(mode, (2, 1), 0)
    if mode == "P":
        image.putpalette(range(48))
    image.putpixel((1, 0), clear)
    file = io.BytesIO()
    image.save(file, "PNG", transparency=clear)
    with Image.open(file) as opened:
        np.testing.assert_array_equal(decode(opened).samples[0, :, 3], [255, 0])


def test_a_transparent_16_bit_grey_becomes_alpha():
    image = Image.fromarray(np.array([[5, 600]], np.uint16))
    image.info["transparency"] = 600
    np.testing.assert_array_equal(decode(image).samples[0], [[5, 65535], [600, 0]])


def test_the_frame_is_said():
    file = io.BytesIO()
    pages = [Image.new("L", (2, 2), value) for value in (10, 20, 30)]
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    with Image.open(file) as image:
        decoded = decode(image)
        assert decoded.changes == ("frame 1 of 3",)
        assert decoded.samples.max() == 10


def test_an_image_without_pixels_is_refused():
    with pytest.raises(InputError, match="without pixels"):
        decode(Image.new("RGB", (0, 3)))
