import io
import random
import sys
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from monostep.errors import InputError, MissingExtraError
from monostep.files import png16
from monostep.files.photo import read, read_stored, stored_size

ROBUSTNESS = Path(__file__).parents[3] / "shared/data/robustness"
REFUSED = {
    "broken.png": "not an image",
    "decompression_bomb.gif": "too large",
    "heif_corrupted_corrupted.heic": "damaged",
    "truncated_image.png": "truncated",
    "truncated_jpeg.jpg": "truncated",
}
KEPT_16_BIT = {
    "12in16bit.tif",
    "hopper_16bit.pgm",
    "non_heif_L_16__128x128.png",
    "non_heif_RGB_16__128x128.png",
    "tiff_16bit_RGB.tiff",
}
RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def exif(orientation, focal_35mm=None):
    made = Image.Exif()
    made[274] = orientation
    if focal_35mm is not None:
        made.get_ifd(0x8769)[0xA405] = focal_35mm
    return made


def swapped_profile():
    """Return sRGB with the primaries red and blue exchanged, under another name."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swap = srgb.replace(b"rXYZ", b"tmp!").replace(b"bXYZ", b"rXYZ").replace(b"tmp!", b"bXYZ")
    return swap.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "tiff", "webp", "jpg", "avif"])
def test_every_format_and_orientation_is_upright_as_pillow_turns_it(tmp_path, ending, orientation):
    path = tmp_path / f"a.{ending}"
    lossless = {"lossless": True} if ending == "webp" else {}
    Image.fromarray(noise(16, 24, 3)).save(path, exif=exif(orientation), **lossless)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    photo = read(path)
    assert photo.pixels.shape == ((16, 24, 3) if orientation < 5 else (24, 16, 3))
    np.testing.assert_array_equal(photo.pixels, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_doors_turn_alike(tmp_path, orientation):
    grey = RNG.integers(0, 65536, (3, 5), dtype=np.uint16)
    path = tmp_path / "a.png"
    Image.fromarray(grey).save(path, exif=exif(orientation))
    with Image.open(path) as image:
        from_image = read(image)
    photo = read(path)
    assert photo.pixels.dtype == np.uint16
    np.testing.assert_array_equal(photo.pixels, from_image.pixels)
    assert photo.changes == from_image.changes


def test_an_array_is_returned_as_it_is():
    for values in (noise(3, 4, 3), noise(3, 4, 3).astype(np.uint16), np.ones((3, 4, 3), "f4")):
        photo = read(values)
        assert photo.pixels.dtype == values.dtype
        np.testing.assert_array_equal(photo.pixels, values)
        assert (photo.focal_px, photo.changes) == (None, ())


def test_grey_becomes_three_equal_channels():
    grey = noise(3, 4)
    np.testing.assert_array_equal(read(grey).pixels, np.dstack([grey] * 3))


def test_focal_length_is_on_the_upright_grid(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (360, 240)).save(path, exif=exif(6, focal_35mm=50))
    assert read(path).focal_px == pytest.approx(500)


def test_alpha_is_composited_on_white_in_16_bits(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png16.encode(np.array([[[0, 1000, 65535, 0x8000]]], np.uint16), {}))
    photo = read(path)
    expected = np.rint(np.array([0, 1000, 65535]) * 0x8000 / 65535 + 65535 - 0x8000)
    np.testing.assert_array_equal(photo.pixels[0, 0], expected)
    assert photo.changes == ("alpha composited on white",)


def test_a_profile_on_16_bits_is_applied_and_the_lost_bits_are_said(tmp_path):
    grey = RNG.integers(0, 65536, (4, 4), dtype=np.uint16)
    path = tmp_path / "a.png"
    Image.fromarray(grey).save(path, icc_profile=swapped_profile())
    photo = read(path)
    assert photo.pixels.dtype == np.uint8
    assert photo.changes == (
        "ICC profile 'swap built-in' to sRGB",
        "cut to 8 bits by the colour conversion",
    )


def test_a_bad_profile_costs_no_bits(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(noise(4, 4).astype(np.uint16)).save(path, icc_profile=b"nonsense")
    photo = read(path)
    assert photo.pixels.dtype == np.uint16
    assert len(photo.changes) == 1


def test_interlaced_16_bit_colour_falls_back_to_8_bits_and_says_so(tmp_path):
    # One pixel is stored alike with and without interlace: only the header must say so.
    data = png16.encode(np.array([[[0x1234, 0x5678, 0x9ABC]]], np.uint16), {})
    header = png16._chunk(b"IHDR", data[16:28] + b"\1")
    path = tmp_path / "a.png"
    path.write_bytes(data[:8] + header + data[33:])
    photo = read(path)
    np.testing.assert_array_equal(photo.pixels[0, 0], [0x12, 0x56, 0x9A])
    assert photo.changes == ("16-bit colour cut to 8 bits",)


def test_without_tifffile_16_bit_colour_is_cut_and_said(tmp_path, monkeypatch):
    path = tmp_path / "a.tiff"
    tifffile.imwrite(path, np.full((2, 2, 3), 0x1234, np.uint16), photometric="rgb", metadata=None)
    assert read(path).pixels.dtype == np.uint16
    monkeypatch.setitem(sys.modules, "tifffile", None)
    photo = read(path)
    assert photo.pixels.max() == 0x12
    assert photo.changes == ("16-bit colour cut to 8 bits",)


def test_the_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime")]
    for ending in ("gif", "png", "webp"):
        path = tmp_path / f"a.{ending}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        photo = read(path)
        assert photo.changes == ("frame 1 of 2",)
        assert photo.pixels[0, 0].argmax() == 0


def test_the_name_of_a_file_does_not_matter(tmp_path):
    Image.fromarray(noise(4, 4, 3)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert read(str(tmp_path / "a.jpg")).pixels.shape == (4, 4, 3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: None, "cannot be opened"),
        (lambda path: path.mkdir(), "cannot be opened"),
        (lambda path: path.touch(), "empty"),
        (lambda path: path.write_text("a text\nof lines"), "not an image"),
        (lambda path: path.write_bytes(bytes(1000)), "not an image"),
        (lambda path: path.write_bytes(b"II*\0" + bytes(60)), "not an image"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "not an image|damaged"),
    ],
)
def test_what_is_no_image_is_one_line_with_its_path(tmp_path, make, said):
    path = tmp_path / "a.png"
    make(path)
    with pytest.raises(InputError, match=said) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_path_with_a_null_character_is_an_input_error():
    with pytest.raises(InputError, match="cannot be opened"):
        read("a\0b.png")


def test_a_bomb_is_refused_at_every_door(tmp_path, monkeypatch):
    Image.fromarray(noise(20, 20, 3)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(png16.encode(np.zeros((20, 20), np.uint16), {}))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)
    for name in ("a.png", "b.png"):
        with pytest.raises(InputError, match="too large"):
            read(tmp_path / name)


def test_heic_without_the_extra_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "a.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(MissingExtraError, match=r"monostep\[formats\]"):
        read(path)


FUZZED = {
    "PNG": ("RGB", {}),
    "JPEG": ("RGB", {"quality": 90}),
    "GIF": ("P", {}),
    "TIFF": ("RGB", {"compression": "tiff_lzw"}),
    "WEBP": ("RGBA", {}),
    "AVIF": ("RGB", {}),
    "BMP": ("RGB", {}),
    "PPM": ("L", {}),
    "JPEG2000": ("RGB", {}),
    "ICO": ("RGBA", {"sizes": [(16, 16)]}),
    "TGA": ("RGBA", {"compression": "tga_rle"}),
}


def encoded(kind):
    file, wide = io.BytesIO(), noise(16, 16, 3) * np.uint16(257)
    if kind == "PNG, 16 bits":
        return png16.encode(wide, {"a": "b"})
    if kind == "TIFF, 16 bits":
        tifffile.imwrite(file, wide, photometric="rgb", compression="zlib", metadata=None)
        return file.getvalue()
    if kind == "HEIC":
        pillow_heif.from_pillow(Image.fromarray(noise(16, 16, 3))).save(
            file, exif=exif(6).tobytes()
        )
        return file.getvalue()
    mode, options = FUZZED[kind]
    Image.fromarray(noise(16, 16, 3)).convert(mode).save(file, kind, exif=exif(6), **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", [*FUZZED, "PNG, 16 bits", "TIFF, 16 bits", "HEIC"])
def test_damage_anywhere_gives_a_photo_or_one_line(tmp_path, kind):
    chance, good, path = random.Random(kind), encoded(kind), tmp_path / "damaged"
    for turn in range(60):
        bad = bytearray(good)
        if turn % 2:
            del bad[chance.randrange(len(bad)) :]
        for _ in range(turn % 4):
            if bad:
                bad[chance.randrange(min(len(bad), 300))] = chance.randrange(256)
        path.write_bytes(bad)
        try:
            assert read(path).pixels.shape[2] == 3
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_stored_colours_are_neither_turned_nor_managed(tmp_path, ending, orientation):
    path = tmp_path / f"a.{ending}"
    colours = noise(16, 24, 3)
    settings = {"exif": exif(orientation), "icc_profile": swapped_profile()}
    Image.fromarray(colours).save(path, **settings)
    with Image.open(path) as image:
        assert np.array_equal(read_stored(path), np.asarray(image))
    if ending == "png":
        assert np.array_equal(read_stored(path), colours)
    assert stored_size(path) == (16, 24)


def test_stored_grey_palettes_and_alpha_are_plain_colours(tmp_path):
    rgba = Image.fromarray(noise(5, 7, 4), "RGBA")
    for image in (rgba, rgba.convert("L"), rgba.convert("RGB").quantize(9)):
        image.save(tmp_path / "a.png")
        assert np.array_equal(read_stored(tmp_path / "a.png"), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(
    ("mode", "ending"), [("LA", "png"), ("1", "png"), ("CMYK", "jpg"), ("CMYK", "tiff")]
)
def test_every_mode_of_8_bits_is_taken_as_stored(tmp_path, mode, ending):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(noise(16, 24, 3)).convert(mode).save(path)
    with Image.open(path) as image:
        assert image.mode == mode
        assert np.array_equal(read_stored(path), np.asarray(image.convert("RGB")))


def test_wide_colours_are_not_cut_when_stored_ones_are_asked_for(tmp_path):
    Image.fromarray(noise(5, 7).astype(np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png: expected 8-bit colour or grey, got 16 bits"):
        read_stored(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(png16.encode(np.ones((5, 7, 3), np.uint16), {}))
    with pytest.raises(InputError, match="expected 8-bit colour or grey, got 16 bits"):
        read_stored(tmp_path / "b.png")


def robustness_files():
    return sorted(path for path in ROBUSTNESS.rglob("*") if path.is_file())


def test_real_odd_files_give_a_photo_or_the_expected_refusal():
    if not ROBUSTNESS.is_dir():
        pytest.skip("real data not present")
    for path in robustness_files():
        said = REFUSED.get(path.name)
        if said is None:
            wide = path.name in KEPT_16_BIT
            assert read(path).pixels.dtype == (np.uint16 if wide else np.uint8), path.name
        else:
            with pytest.raises(InputError, match=said) as caught:
                read(path)
            assert "\n" not in str(caught.value)


def test_real_photographs_in_all_orientations_show_the_same():
    if not ROBUSTNESS.is_dir():
        pytest.skip("real data not present")
    photos = [read(ROBUSTNESS / f"exif/Landscape_{n}.jpg").pixels for n in (1, 3, 6, 8)]
    for photo in photos[1:]:  # each was compressed anew
        assert np.abs(photo.astype(int) - photos[0]).mean() < 6
