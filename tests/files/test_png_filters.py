import numpy as np
import pytest

from monostep.errors import InputError
from monostep.files import png_filters


def unfilter_slowly(filters, coded):
    """RFC 2083, section 6, byte by byte."""
    height, width, size = coded.shape
    coded = coded.astype(int)
    raw = np.zeros((height + 1, width + 1, size), int)
    for y, x, i in np.ndindex(height, width, size):
        a, b, c = raw[y + 1, x, i], raw[y, x + 1, i], raw[y, x, i]
        closest = min((a, b, c), key=lambda value: abs(a + b - c - value))
        predicted = [0, a, b, (a + b) // 2, closest][filters[y]]
        raw[y + 1, x + 1, i] = (coded[y, x, i] + predicted) % 256
    return raw[1:, 1:]


@pytest.mark.parametrize("filters", [[0], [1], [2], [3], [4], [0, 1, 2], [4, 1, 3, 0, 2, 4]])
@pytest.mark.parametrize("shape", [(1, 1, 2), (7, 1, 2), (1, 9, 6), (13, 5, 8), (6, 17, 4)])
def test_every_mix_of_filters_is_undone_as_the_standard_says(filters, shape, monkeypatch):
    monkeypatch.setattr(png_filters, "_BAND", 4)  # so that bands meet within small images
    coded = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    numbers = np.resize(np.array(filters, np.uint8), shape[0])
    expected = unfilter_slowly(numbers, coded)
    np.testing.assert_array_equal(png_filters.unfilter(numbers, coded), expected)


def test_an_unknown_filter_is_refused():
    with pytest.raises(InputError, match="filter 5"):
        png_filters.unfilter(np.array([5], np.uint8), np.zeros((1, 1, 2), np.uint8))
