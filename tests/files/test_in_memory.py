import io

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image

from monostep.errors import InputError
from monostep.files import photo, png16, png_codes
from monostep.files.in_memory import InMemory
from monostep.files.map_numpy import read_array

RANDOM = np.random.default_rng(0)
EIGHT = RANDOM.integers(0, 256, (16, 24, 3)).astype(np.uint8)
WIDE = RANDOM.integers(0, 65536, (16, 24, 3)).astype(np.uint16)


def pillow(kind, values, **settings):
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind, **settings)
    return file.getvalue()


def tiff(values):
    file = io.BytesIO()
    tifffile.imwrite(file, values, photometric="rgb")
    return file.getvalue()


def heic():
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(EIGHT)).save(file, quality=90)
    return file.getvalue()


def npy(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


PHOTOS = {
    "grey.png": pillow("PNG", WIDE[..., 0]),
    "colour.png": png16.encode(WIDE, {}),
    "plain.png": pillow("PNG", EIGHT),
    "photo.jpg": pillow("JPEG", EIGHT),
    "wide.tiff": tiff(WIDE),
    "float.tiff": tiff(RANDOM.random((16, 24, 3)).astype(np.float32)),
    "photo.heic": heic(),
}


def both(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return tmp_path / name, InMemory(name=f"set.tar: {name}", data=data)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_in_memory_is_that_on_disk(tmp_path, name):
    path, held = both(tmp_path, name, PHOTOS[name])
    on_disk, in_memory = photo.read(path), photo.read(held)
    assert in_memory.pixels.dtype == on_disk.pixels.dtype
    assert np.array_equal(in_memory.pixels, on_disk.pixels)
    assert in_memory.changes == on_disk.changes


@pytest.mark.parametrize("name", ["grey.png", "colour.png", "plain.png"])
def test_codes_in_memory_are_those_on_disk(tmp_path, name):
    path, held = both(tmp_path, name, PHOTOS[name])
    on_disk, in_memory = png_codes.read(path), png_codes.read(held)
    assert in_memory.top == on_disk.top
    assert np.array_equal(in_memory.codes, on_disk.codes)


@pytest.mark.parametrize("shape", [(7,), (4, 6), (4, 6, 1)])
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", "u1", "?"])
def test_arrays_in_memory_are_those_on_disk(tmp_path, shape, kind):
    values = (8 * RANDOM.random(shape)).astype(kind)
    for data in (npy(values), npy(np.asfortranarray(values))):
        path, held = both(tmp_path, "a.npy", data)
        assert np.array_equal(read_array(held), values)
        assert np.array_equal(read_array(path), values)
        assert read_array(held).dtype == read_array(path).dtype


@pytest.mark.parametrize("read", [photo.read, photo.read_stored, png_codes.read, read_array])
@pytest.mark.parametrize("data", [b"", b"neither", npy(np.array([{}], object)), npy(WIDE)[:-9]])
def test_messages_say_the_name_in_one_line(read, data):
    with pytest.raises(InputError, match=r"^set\.tar: a: ") as error:
        read(InMemory(name="set.tar: a", data=data))
    assert "\n" not in str(error.value)
