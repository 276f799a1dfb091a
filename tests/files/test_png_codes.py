import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from monostep.errors import InputError
from monostep.files import png16, png_codes

RANDOM = np.random.default_rng(0)


def saved(path, values, mode=None):
    image = Image.fromarray(values)
    (image if mode is None else image.convert(mode)).save(path)
    return png_codes.read(path)


def test_wide_codes_of_any_number_of_channels_come_back(tmp_path):
    for channels in (1, 2, 3, 4):
        codes = RANDOM.integers(0, 65536, (5, 7, channels)).astype(np.uint16)
        path = tmp_path / f"{channels}.png"
        path.write_bytes(png16.encode(codes, {"monostep": "{}"}))
        stored = png_codes.read(path)
        assert np.array_equal(stored.codes, codes)
        assert (stored.codes.dtype, stored.top) == (np.uint16, 65535)
        assert stored.text["monostep"] == "{}"


def test_codes_of_8_bits_are_not_converted(tmp_path):
    for channels in (1, 3, 4):
        codes = RANDOM.integers(0, 256, (5, 7, channels)).astype(np.uint8)
        stored = saved(tmp_path / "a.png", codes.squeeze(-1) if channels == 1 else codes)
        assert np.array_equal(stored.codes, codes)
        assert (stored.top, stored.palette) == (255, False)


def test_codes_of_a_palette_are_its_indices(tmp_path):
    image = Image.fromarray(np.array([[0, 2], [1, 0]], np.uint8), "L").convert("P")
    image.putdata([0, 2, 1, 0])
    image.putpalette([9, 9, 9, 0, 0, 0, 200, 0, 0])
    image.save(tmp_path / "a.png")
    stored = png_codes.read(tmp_path / "a.png")
    assert stored.palette
    assert stored.codes[..., 0].tolist() == [[0, 2], [1, 0]]


def test_one_bit_has_the_top_1(tmp_path):
    stored = saved(tmp_path / "a.png", np.array([[0, 255], [255, 0]], np.uint8), "1")
    assert stored.top == 1
    assert stored.codes[..., 0].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(("bits", "packed"), [(2, 0b00011011), (4, 0x2F)])
def test_grey_of_2_and_4_bits_is_as_stored(tmp_path, bits, packed):
    count = 8 // bits
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", count, 1, bits, 0, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(bytes([0, packed])))
        + _chunk(b"IEND", b"")
    )
    stored = png_codes.read(tmp_path / "a.png")
    assert stored.top == 2**bits - 1
    assert stored.codes[0, :, 0].tolist() == ([0, 1, 2, 3] if bits == 2 else [2, 15])


def _chunk(kind, content):
    whole = kind + content
    return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))


@pytest.mark.parametrize("content", [b"", b"not a PNG", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_png_is_said_in_one_line(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png: not a readable PNG") as error:
        png_codes.read(path)
    assert "\n" not in str(error.value)


def test_another_kind_of_file_is_named_without_a_place_in_memory(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (3, 4)).save(path, "JPEG")
    with pytest.raises(InputError, match=r"a\.png: not a readable PNG \(another kind") as error:
        png_codes.read(path)
    assert "0x" not in str(error.value)


def test_a_truncated_file_and_none(tmp_path):
    path = tmp_path / "a.png"
    for codes in (np.ones((9, 9), np.uint8), np.ones((9, 9, 3), np.uint16)):
        wide = codes.dtype == np.uint16
        if wide:
            path.write_bytes(png16.encode(codes, {}))
        else:
            Image.fromarray(codes).save(path)
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(InputError, match=r"a\.png: "):
            png_codes.read(path)
    with pytest.raises(InputError, match="no such file"):
        png_codes.read(tmp_path / "none.png")


def test_no_changed_byte_gives_other_codes(tmp_path):
    path = tmp_path / "a.png"
    codes = (1000 * RANDOM.random((40, 40)).cumsum(axis=1)).astype(np.uint16)
    Image.fromarray(codes).save(path)
    whole = path.read_bytes()
    for place in range(33, len(whole) - 12, 11):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(InputError, match=r"a\.png: "):
            png_codes.read(path)
