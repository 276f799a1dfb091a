import numpy as np
import pytest
import torch
from PIL import Image

from monostep.data.check import fingerprint
from monostep.errors import InputError


@pytest.fixture
def photo(tmp_path):
    ramp = np.linspace(0, 255, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(ramp).save(path)
    return path


def test_look_stays_and_file_does_not_when_stored_anew(photo, tmp_path):
    with Image.open(photo) as image:
        image.resize((48, 36)).save(tmp_path / "again.jpg", quality=60)
    one, other = fingerprint.read(photo), fingerprint.read(tmp_path / "again.jpg")
    assert one.digest != other.digest
    difference = one.colours.astype(int) - other.colours.astype(int)
    assert np.sqrt(np.square(difference).mean()) < 4


def test_reading_and_given_pixels_agree(photo):
    with Image.open(photo) as image:
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255
    assert np.array_equal(fingerprint.of(photo, pixels).colours, fingerprint.read(photo).colours)


def test_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png"):
        fingerprint.read(tmp_path / "gone.png")
    with pytest.raises(InputError, match=r"gone\.png"):
        fingerprint.of(tmp_path / "gone.png", torch.zeros(3, 4, 4))
