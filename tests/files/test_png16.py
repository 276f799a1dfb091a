import io
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from monostep.errors import InputError
from monostep.files import png16

RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.integers(0, 65536, shape, dtype=np.uint16)


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (5, 7, 1), (4, 3, 2), (6, 1, 3), (3, 8, 4)])
def test_codes_and_texts_survive_exactly(shape):
    codes = noise(*shape)
    text = {"monostep": '{"a": 1}', "Comment": "Zürich", "Japanese": "奥行き"}
    back = png16.decode(png16.encode(codes, text))
    np.testing.assert_array_equal(back.pixels, codes.reshape(*codes.shape[:2], -1))
    assert back.text == text


def test_pillow_reads_our_grey_and_our_texts():
    codes = noise(9, 11)
    with Image.open(io.BytesIO(png16.encode(codes, {"a": "b", "c": "奥"}))) as image:
        np.testing.assert_array_equal(np.asarray(image), codes)
        assert image.text == {"a": "b", "c": "奥"}


def test_pillow_reads_the_high_bytes_of_our_colours():
    codes = noise(9, 11, 3)
    with Image.open(io.BytesIO(png16.encode(codes, {}))) as image:
        np.testing.assert_array_equal(np.asarray(image), codes >> 8)


def test_we_read_what_pillow_writes_with_its_choice_of_filters():
    ramp = np.add.outer(np.arange(300) ** 2 // 2, np.arange(200) * 97).astype(np.uint16)
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("plain", "Grüße")
    chunks.add_text("packed", "z" * 1000, zip=True)
    chunks.add_itxt("world", "奥" * 1000, zip=True)
    file = io.BytesIO()
    Image.fromarray(ramp).save(file, "PNG", pnginfo=chunks)
    back = png16.decode(file.getvalue())
    np.testing.assert_array_equal(back.pixels[..., 0], ramp)
    assert back.text == {"plain": "Grüße", "packed": "z" * 1000, "world": "奥" * 1000}


def test_every_single_damaged_byte_is_noticed_or_harmless():
    good = png16.encode(noise(3, 4), {"a": "b"})
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 0x55
        with pytest.raises(InputError):
            png16.decode(bytes(bad))


def test_every_truncation_is_noticed():
    good = png16.encode(noise(3, 4), {})
    for length in range(len(good)):
        with pytest.raises(InputError):
            png16.decode(good[:length])


def test_missing_pixels_are_noticed_behind_valid_checksums():
    good = png16.encode(np.zeros((4, 4), np.uint16), {})
    start = good.index(b"IDAT") - 4
    short = png16._chunk(b"IDAT", zlib.compress(bytes(9)))
    with pytest.raises(InputError, match="truncated"):
        png16.decode(good[:start] + short + png16._chunk(b"IEND", b""))


def test_the_header_is_told_without_the_rest():
    facts = png16.header(png16.encode(noise(3, 5, 3), {})[:64])
    assert facts is not None
    assert (facts.width, facts.height, facts.bit_depth, facts.channels) == (5, 3, 16, 3)
    assert not facts.interlaced
    assert png16.header(b"GIF89a") is None


def test_other_pngs_are_refused():
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    with pytest.raises(InputError, match="16-bit"):
        png16.decode(file.getvalue())


def test_any_whole_png_is_verified_and_no_changed_byte_passes():
    file = io.BytesIO()
    Image.fromarray(noise(20, 20).astype(np.uint8)).save(file, "PNG")
    for whole in (file.getvalue(), png16.encode(noise(6, 7, 3), {"a": "b"})):
        png16.verify(whole)
        for place in range(8, len(whole)):
            changed = whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]
            with pytest.raises(InputError):
                png16.verify(changed)
