import pytest
import torch

from monostep.data.check import spread

ROWS = torch.arange(1.0, 7.0)[:, None].expand(6, 8)
EVERYWHERE = torch.ones(6, 8, dtype=torch.bool)


def test_numbers_are_those_of_the_valid_pixels_alone():
    valid = EVERYWHERE.clone()
    valid[-1] = False
    measured = spread.measure(ROWS.clone().index_fill(0, torch.tensor([5]), torch.nan), valid)
    assert (measured.least, measured.median, measured.most) == (1, 3, 5)
    assert measured.valid_share == pytest.approx(5 / 6)


@pytest.mark.parametrize(("depth", "expected"), [(ROWS, 1), (ROWS.flip(0), -1)])
def test_trend_is_one_for_what_grows_with_the_row_whatever_its_scale(depth, expected):
    # Ties among the pixels of one row keep it a little below 1.
    for values in (depth, depth**3 + 100):
        assert spread.measure(values, EVERYWHERE).downwards == pytest.approx(expected, abs=0.05)


def test_no_valid_pixel_is_all_zero():
    empty = spread.measure(ROWS, ~EVERYWHERE)
    assert (empty.valid_share, empty.median, empty.downwards) == (0, 0, 0)
