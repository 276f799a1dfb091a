import numpy as np
import pytest

from monostep.errors import InputError, OutputError
from monostep.files.map_layout import DEPTH, NORMALS, UNCERTAINTY, check_for_writing, from_reading


def test_each_layout_fits_its_own_shape_only():
    assert DEPTH.fits((2, 3))
    assert UNCERTAINTY.fits((2, 3))
    assert NORMALS.fits((2, 3, 3))
    assert not any(DEPTH.fits(shape) for shape in [(), (3,), (2, 3, 3), (2, 3, 1), (0, 3)])
    assert not any(NORMALS.fits(shape) for shape in [(2, 3), (3, 2, 4), (2, 0, 3), (1, 2, 3, 3)])


def test_only_float32_of_the_shape_is_written():
    check_for_writing(np.zeros((2, 3), np.float32), DEPTH, "a.npy")
    for wrong in (np.zeros((2, 3)), np.zeros((2, 3, 3), np.float32)):
        with pytest.raises(OutputError, match=r"a\.npy: a depth map is float32 \[height, width\]"):
            check_for_writing(wrong, DEPTH, "a.npy")


@pytest.mark.parametrize("kind", [np.float16, ">f4", np.float64, np.uint16])
def test_numbers_of_other_types_are_read_as_float32(kind):
    values = from_reading(np.ones((2, 3, 3), kind), NORMALS, "a.npy")
    assert values.dtype == np.dtype("=f4")
    assert (values == 1).all()


@pytest.mark.parametrize("kind", [bool, complex, "U1", object])
def test_what_is_no_number_is_not_read(kind):
    with pytest.raises(InputError, match=r"a\.npy: expected numbers"):
        from_reading(np.ones((2, 3), kind), DEPTH, "a.npy")


def test_what_float32_cannot_hold_becomes_infinite_without_a_warning():
    values = np.array([[1.0, 1e300, -1e300]])
    np.testing.assert_array_equal(from_reading(values, DEPTH, "a"), [[1, np.inf, -np.inf]])
