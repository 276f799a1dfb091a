"""The five row filters of PNG (RFC 2083, section 6), undone in numpy."""

import numpy as np
from jaxtyping import Int16, UInt8

from monostep.errors import InputError

_SUB, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4
_BAND = 512  # rows undone together: bounds the memory of the skewed copy


def unfilter(
    filters: UInt8[np.ndarray, " height"], coded: UInt8[np.ndarray, "height width bytes"]
) -> UInt8[np.ndarray, "height width bytes"]:
    """Return the raw bytes of each pixel from filter numbers (0..4) and filtered bytes.

    Raises:
        InputError: a filter number is above 4.
    """
    if filters.max() > _PAETH:
        raise InputError(f"PNG row filter {filters.max()} does not exist: the file is damaged")
    raw = np.empty_like(coded)
    above = np.zeros_like(coded[0])
    for start in range(0, len(coded), _BAND):
        rows = slice(start, start + _BAND)
        undo = _simple_rows if filters[rows].max() <= _UP else _wavefront
        raw[rows] = undo(filters[rows], coded[rows], above)
        above = raw[rows][-1]
    return raw


def _simple_rows(
    filters: UInt8[np.ndarray, " height"],
    coded: UInt8[np.ndarray, "height width bytes"],
    above: UInt8[np.ndarray, "width bytes"],
) -> UInt8[np.ndarray, "height width bytes"]:
    """Undo None, Sub and Up, whose rows are one running sum or one addition."""
    raw = coded.copy()
    for row, number in zip(raw, filters, strict=True):
        if number == _SUB:
            np.cumsum(row, axis=0, dtype=np.uint8, out=row)
        elif number == _UP:
            row += above
        above = row
    return raw


def _wavefront(
    filters: UInt8[np.ndarray, " height"],
    coded: UInt8[np.ndarray, "height width bytes"],
    above: UInt8[np.ndarray, "width bytes"],
) -> UInt8[np.ndarray, "height width bytes"]:
    """Undo any filters, one anti-diagonal at a time.

    Average and Paeth need the left, upper and upper-left neighbours, so pixels of one
    anti-diagonal x + y are independent. In an array skewed to [x + y, y] the three neighbours
    are contiguous slices, and an image takes width + height numpy steps, not width * height.
    """
    height, width, size = coded.shape
    # One step before the first column and one row before the first row hold the neighbours.
    skewed = np.zeros((width + height + 1, height + 1, size), np.uint8)
    skewed[1 : width + 1, 0] = above
    for y in range(height):
        skewed[y + 2 : y + 2 + width, y + 1] = coded[y]
    number = filters[:, None]
    for step in range(2, width + height + 1):
        # Rows whose pixel x = step - 2 - y exists: the others must stay zero as borders.
        rows = slice(max(0, step - 1 - width), min(height, step - 1))
        here = slice(rows.start + 1, rows.stop + 1)
        skewed[step, here] += _prediction(
            number[rows], skewed[step - 1, here], skewed[step - 1, rows], skewed[step - 2, rows]
        )
    return np.stack([skewed[y + 2 : y + 2 + width, y + 1] for y in range(height)])


def _prediction(
    number: UInt8[np.ndarray, "rows 1"],
    left: UInt8[np.ndarray, "rows bytes"],
    above: UInt8[np.ndarray, "rows bytes"],
    corner: UInt8[np.ndarray, "rows bytes"],
) -> UInt8[np.ndarray, "rows bytes"]:
    """Return what each row's filter predicts from the three known neighbours."""
    a, b, c = left.astype(np.int16), above.astype(np.int16), corner.astype(np.int16)
    choices = [np.zeros_like(a), a, b, (a + b) >> 1, _paeth(a, b, c)]
    return np.choose(number, choices).astype(np.uint8)


def _paeth(
    a: Int16[np.ndarray, "rows bytes"],
    b: Int16[np.ndarray, "rows bytes"],
    c: Int16[np.ndarray, "rows bytes"],
) -> Int16[np.ndarray, "rows bytes"]:
    """Return the neighbour closest to a + b - c; ties go to a, then b."""
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    return np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
