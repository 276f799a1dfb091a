import numpy as np
import pytest
import torch

from monostep.errors import InputError
from monostep.pictures import as_bytes, as_tensor


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(4, 8, 8), r"shape \(4, 8, 8\)"),
        (torch.zeros(3, 0, 8), "expected"),
        (torch.zeros(3, 8, 8, dtype=torch.int64), "int64"),
        (torch.full((3, 8, 8), 2.0), r"expected \[0, 1\]"),
        (torch.full((3, 8, 8), float("nan")), r"expected \[0, 1\]"),
        ("no such photo.jpg", "no such photo.jpg"),
    ],
)
def test_an_image_that_cannot_be_used_is_one_clear_line(image, message):
    with pytest.raises(InputError, match=message) as error:
        as_tensor(image)
    assert "\n" not in str(error.value)


def test_bytes_and_back():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(as_bytes(as_tensor(pixels)), pixels)
