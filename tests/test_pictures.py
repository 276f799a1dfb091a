import numpy as np
import pytest
import torch

from monostep.errors import InputError
from monostep.pictures import as_bytes, as_squares, as_tensor


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


def test_squares_of_pictures_do_not_depend_on_their_neighbours():
    generator = torch.Generator().manual_seed(0)
    wide, tall = torch.rand(3, 20, 33, generator=generator), torch.rand(3, 31, 9)
    squares = as_squares([2 * wide - 1, 2 * tall - 1], 14)
    assert squares.shape == (2, 3, 14, 14)
    assert torch.equal(squares[:1], as_squares([2 * wide - 1], 14))
    torch.testing.assert_close(squares[0].mean(), wide.mean(), atol=0.01, rtol=0)


def test_a_square_picture_of_that_size_stays_as_it_is_and_of_size_0_nothing_is_left():
    picture = torch.rand(3, 8, 8)
    torch.testing.assert_close(as_squares([2 * picture - 1], 8)[0], picture)
    assert as_squares([picture, picture], 0).shape == (2, 3, 0, 0)
