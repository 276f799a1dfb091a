import numpy as np
import pytest

from monostep.errors import InputError
from monostep.files.photo_array import decode


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (3, 4, 3), (3, 4, 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, ">u2", np.float32, np.float64])
def test_samples_are_the_arrays_own(shape, kind):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(kind)
    samples = decode(array).samples
    np.testing.assert_array_equal(samples, array.reshape(3, 4, -1))
    assert samples.dtype.isnative


@pytest.mark.parametrize("shape", [(), (3,), (3, 4, 2), (3, 4, 5), (1, 3, 4, 3), (3, 40, 50)])
def test_other_shapes_are_refused_with_what_was_got(shape):
    with pytest.raises(InputError, match=r"expected \[H, W\]") as caught:
        decode(np.zeros(shape, np.uint8))
    assert str(list(shape)) in str(caught.value)
    assert ("transpose" in str(caught.value)) == (shape in [(3, 4, 2), (3, 4, 5), (3, 40, 50)])


@pytest.mark.parametrize("shape", [(0, 4), (3, 0, 3)])
def test_no_pixels_are_refused(shape):
    with pytest.raises(InputError, match="no pixels"):
        decode(np.zeros(shape, np.float32))


@pytest.mark.parametrize("kind", [bool, np.int8, np.int32, np.int64, complex, object, "U1"])
def test_other_types_are_refused(kind):
    with pytest.raises(InputError, match="expected uint8"):
        decode(np.zeros((2, 2), kind))
