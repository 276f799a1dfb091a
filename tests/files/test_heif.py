import sys

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from monostep.errors import MissingExtraError
from monostep.files import heif


@pytest.fixture
def photo(tmp_path):
    """Return a HEIC file, half black and half white, with EXIF orientation 6 and 28 mm."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, 48:] = 255
    exif = Image.Exif()
    exif[274] = 6
    exif.get_ifd(0x8769)[0xA405] = 28
    path = tmp_path / "photo.heic"
    file = pillow_heif.from_pillow(Image.fromarray(pixels))
    file.save(path, quality=90, exif=exif.tobytes())
    return path


def test_pixels_orientation_and_lens_are_read(photo):
    assert heif.looks_like_heif(photo.read_bytes()[:64])
    decoded = heif.decode(photo)
    assert decoded.focal_35mm == 28.0
    turned = decoded.samples.shape[:2] == (96, 64)
    assert turned == (decoded.orientation == 1)  # turned by libheif or still to be turned


def test_other_containers_are_not_taken():
    assert not heif.looks_like_heif(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miafMA1A")
    assert not heif.looks_like_heif(b"\0\0\0\x1cftypisom\0\0\0\0isomiso2mp41")
    assert not heif.looks_like_heif(b"")


def test_without_the_extra_the_error_names_it(photo, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingExtraError, match=r"photo.heic: .*monostep\[formats\]"):
        heif.decode(photo)


def test_too_many_pixels_are_refused(photo, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(Image.DecompressionBombError):
        heif.decode(photo)
