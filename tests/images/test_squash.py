import numpy as np
import pytest
import torch
from PIL import Image

from monostep.images.squash import squash


def by_pillow(picture, side):
    """Pillow's antialiased bicubic (a = -0.5) of each channel in floating point."""
    resized = [
        Image.fromarray(channel).resize((side, side), Image.Resampling.BICUBIC)
        for channel in picture.numpy().astype(np.float32)
    ]
    return torch.from_numpy(np.stack([np.asarray(channel) for channel in resized]))


@pytest.mark.parametrize("size", [(70, 113), (113, 70), (20, 28), (28, 28), (9, 40)])
def test_it_is_pillows_antialiased_bicubic_without_a_crop(size):
    pictures = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    squares = squash(pictures, 28)
    expected = torch.stack([by_pillow(picture, 28) for picture in pictures])
    torch.testing.assert_close(squares, expected, rtol=0, atol=1e-5)


def test_what_overshoots_is_not_clamped():
    step = torch.zeros(1, 3, 40, 40)
    step[:, :, 13:] = 1
    squares = squash(step, 28)
    assert squares.max() > 1.01
    assert squares.min() < -0.005


def test_the_whole_picture_is_in_the_square():
    ramp = torch.linspace(0, 1, 90).expand(1, 3, 30, 90)
    square = squash(ramp, 10)
    torch.testing.assert_close(square, square[:, :, :1].expand_as(square), rtol=0, atol=1e-6)
    middles = (torch.arange(10) + 0.5) / 10  # where the columns of the square lie in the ramp
    torch.testing.assert_close(square[0, 0, 0], middles, rtol=0, atol=0.02)


def test_resizing_is_linear_and_keeps_a_constant():
    pictures = torch.rand(1, 3, 33, 51, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(squash(2 * pictures - 1, 14), 2 * squash(pictures, 14) - 1)
    flat = torch.full((1, 3, 33, 51), 0.3)
    torch.testing.assert_close(squash(flat, 14), flat[:, :, :14, :14])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_other_widths_keep_theirs(dtype):
    pictures = torch.rand(1, 3, 33, 51, generator=torch.Generator().manual_seed(2)).to(dtype)
    squares = squash(pictures, 14)
    assert squares.dtype == dtype
    torch.testing.assert_close(squares, squash(pictures.float(), 14).to(dtype), rtol=0, atol=1e-6)


def test_nothing_is_left_of_squares_without_a_side():
    assert squash(torch.rand(2, 3, 8, 9), 0).shape == (2, 3, 0, 0)
