import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monostep.data.prepare import depth_codes


def code(depth_m):
    return int(depth_codes.encode(np.array([[depth_m]]))[0, 0])


@given(st.floats(0.001, 65.535))
def test_within_half_a_millimetre(depth_m):
    assert abs(code(depth_m) / depth_codes.PER_M - depth_m) <= 0.0005 + 1e-9


@given(
    st.floats(65.5356, 1e30)
    | st.just(float("inf"))
    | st.floats(-1e30, 0.0004)
    | st.just(float("nan"))
)
def test_what_does_not_fit_is_invalid_and_never_wraps(depth_m):
    assert code(depth_m) == 0


@pytest.mark.parametrize(
    ("depth_m", "expected"),
    [
        (65.535, 65535),
        (65.536, 0),  # a cast gives 0
        (70.0, 0),  # a cast gives 4464: 4.464 m
        (131.072, 0),
        (0.0004, 0),
        (0.0006, 1),
        (0.0, 0),
        (-3.0, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (-float("inf"), 0),
    ],
)
def test_limits(depth_m, expected):
    assert code(depth_m) == expected
