import numpy as np
import pytest
from PIL import Image, ImageCms

from monostep.errors import InputError
from monostep.files import png16, wide_png

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_of_every_colour_type_survive(tmp_path, channels):
    codes = RNG.integers(0, 65536, (5, 6, channels), dtype=np.uint16)
    path = tmp_path / "wide.png"
    path.write_bytes(png16.encode(codes, {}))
    decoded = wide_png.decode(path)
    np.testing.assert_array_equal(decoded.samples, codes)
    assert (decoded.orientation, decoded.focal_35mm, decoded.profile) == (1, None, None)


@pytest.mark.parametrize(("channels", "key"), [(1, (600,)), (3, (600, 7, 65535))])
def test_the_one_clear_colour_becomes_alpha(tmp_path, channels, key):
    codes = np.zeros((1, 2, channels), np.uint16)
    codes[0, 1] = key
    data = png16.encode(codes, {})
    body = b"".join(value.to_bytes(2, "big") for value in key)
    path = tmp_path / "keyed.png"
    path.write_bytes(data[:33] + png16._chunk(b"tRNS", body) + data[33:])
    samples = wide_png.decode(path).samples
    np.testing.assert_array_equal(samples[0, :, -1], [65535, 0])
    np.testing.assert_array_equal(samples[..., :-1], codes)


def test_exif_and_profile_are_found(tmp_path):
    exif = Image.Exif()
    exif[274] = 8
    exif.get_ifd(0x8769)[0xA405] = 35
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "grey.png"
    Image.fromarray(np.zeros((2, 3), np.uint16)).save(path, exif=exif, icc_profile=profile)
    decoded = wide_png.decode(path)
    assert (decoded.orientation, decoded.focal_35mm) == (8, 35.0)
    assert decoded.profile == profile


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "cut.png"
    path.write_bytes(png16.encode(RNG.integers(0, 65536, (40, 40, 3), dtype=np.uint16), {})[:-500])
    with pytest.raises((InputError, OSError)):
        wide_png.decode(path)
