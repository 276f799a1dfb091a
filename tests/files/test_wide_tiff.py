import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from monostep.errors import InputError
from monostep.files import wide_tiff

RNG = np.random.default_rng(0)


def written(tmp_path, values, **options):
    path = tmp_path / "wide.tiff"
    tifffile.imwrite(path, values, metadata=None, **options)
    return path


def wide(*shape):
    return RNG.integers(0, 65536, shape, dtype=np.uint16)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bit_colour_survives(tmp_path, byteorder, compression):
    values = wide(5, 6, 3)
    path = written(
        tmp_path, values, photometric="rgb", byteorder=byteorder, compression=compression
    )
    decoded = wide_tiff.decode(path)
    assert decoded is not None
    assert decoded.samples.dtype == np.dtype("=u2")
    np.testing.assert_array_equal(decoded.samples, values)


def test_planes_one_after_another_are_joined(tmp_path):
    values = wide(3, 5, 6)
    path = written(tmp_path, values, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(wide_tiff.decode(path).samples, np.moveaxis(values, 0, -1))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_float_colour_survives(tmp_path, kind):
    values = RNG.random((5, 6, 3)).astype(kind)
    path = written(tmp_path, values, photometric="rgb")
    np.testing.assert_array_equal(wide_tiff.decode(path).samples, values.astype(np.float32))


def test_float_colour_beyond_white_is_refused(tmp_path):
    path = written(tmp_path, np.full((2, 2, 3), 9.0, np.float32), photometric="rgb")
    with pytest.raises(InputError, match=r"span 0\.\.1"):
        wide_tiff.decode(path)


def test_straight_alpha_is_kept_premultiplied_is_put_on_white_others_are_dropped(tmp_path):
    values = wide(5, 6, 4)
    values[..., :3] = np.minimum(values[..., :3], values[..., 3:])  # as premultiplied must be

    def decoded(meaning):
        path = written(tmp_path, values, photometric="rgb", extrasamples=[meaning])
        return wide_tiff.decode(path)

    np.testing.assert_array_equal(decoded("unassalpha").samples, values)
    np.testing.assert_array_equal(decoded("unspecified").samples, values[..., :3])
    on_white = values[..., :3].astype(int) + 65535 - values[..., 3:]
    np.testing.assert_array_equal(decoded("assocalpha").samples, on_white)
    assert decoded("assocalpha").changes == ("alpha composited on white",)


def test_orientation_and_first_of_several_pages(tmp_path):
    values = wide(2, 5, 6, 3)
    path = written(tmp_path, values, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    decoded = wide_tiff.decode(path)
    assert decoded.orientation == 6
    assert decoded.changes == ("frame 1 of 2",)
    np.testing.assert_array_equal(decoded.samples, values[0])


def test_too_many_pixels_are_refused(tmp_path, monkeypatch):
    path = written(tmp_path, wide(5, 6, 3), photometric="rgb")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(Image.DecompressionBombError):
        wide_tiff.decode(path)


def test_what_pillow_reads_well_is_left_to_it(tmp_path):
    assert wide_tiff.decode(written(tmp_path, wide(5, 6))) is None
    assert wide_tiff.decode(written(tmp_path, np.zeros((5, 6, 3), np.uint8))) is None
    (tmp_path / "not.tiff").write_bytes(b"II*\0nonsense")
    assert wide_tiff.decode(tmp_path / "not.tiff") is None


def test_without_tifffile_everything_is_left_to_pillow(tmp_path, monkeypatch):
    path = written(tmp_path, wide(5, 6, 3), photometric="rgb")
    monkeypatch.setitem(sys.modules, "tifffile", None)
    assert wide_tiff.decode(path) is None


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_truncated_file_is_never_half_an_image(tmp_path, compression):
    path = written(tmp_path, wide(50, 60, 3), photometric="rgb", compression=compression)
    path.write_bytes(path.read_bytes()[:-5000])
    assert wide_tiff.decode(path) is None


def test_damage_is_not_logged_to_stderr(tmp_path):
    path = written(tmp_path, wide(5, 6, 3), photometric="rgb")
    data = bytearray(path.read_bytes())
    data[24:26] = b"\xff\xff"  # the data type of the second tag
    path.write_bytes(data)
    code = "import pathlib, sys; from monostep.files.wide_tiff import decode; "
    code += "decode(pathlib.Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
