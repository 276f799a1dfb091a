import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from monostep.errors import InputError
from monostep.files.decoded import checked_floats, full_scale, quiet, refuse_bomb


def test_full_scale_is_white_of_each_type():
    kinds = [np.uint8, np.uint16, np.float32]
    assert [full_scale(np.zeros(1, kind)) for kind in kinds] == [255, 65535, 1]


def test_sizes_are_refused_exactly_where_pillow_refuses_them(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    refuse_bomb(10, 10)
    with pytest.raises(Image.DecompressionBombError):
        refuse_bomb(101, 1)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    refuse_bomb(10**9, 10**9)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_within_range_pass(kind):
    values = np.array([0, 0.5, 1], kind)
    assert checked_floats(values).dtype == np.float32
    np.testing.assert_array_equal(checked_floats(values), values)


@pytest.mark.parametrize(
    ("value", "got"), [(np.nan, "NaN"), (1.5, "1.5"), (-0.25, "-0.25"), (np.inf, "inf")]
)
def test_other_floats_are_refused_with_what_was_got(value, got):
    with pytest.raises(InputError, match=f"span 0..1, got .*{got}"):
        checked_floats(np.array([0.5, value], np.float32))


def test_warnings_are_silent_inside_and_back_afterwards():
    before = list(warnings.filters)
    with quiet():
        warnings.warn("unheard", stacklevel=1)
    assert list(warnings.filters) == before
    with pytest.raises(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)


def test_overlapping_threads_leave_the_filters_as_they_were():
    before = list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def other():
        with quiet():
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=other)
    with quiet():
        thread.start()
        entered.wait(5)
    warnings.warn("still unheard: the other thread reads", stacklevel=1)
    leave.set()
    thread.join()
    assert list(warnings.filters) == before
