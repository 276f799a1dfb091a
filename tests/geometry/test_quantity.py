import math
from typing import get_args

import pytest
import torch

from monostep.geometry.depth import Depth, Quantity
from monostep.geometry.quantity import INVERSE, from_depth, to_depth

QUANTITIES = get_args(Quantity)
DEPTHS_M = torch.tensor([0.05, 0.5, 1.0, 4.0, 79.0], dtype=torch.float64)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_there_and_back_is_the_depth(quantity):
    values = from_depth(DEPTHS_M, quantity)
    back = to_depth(values, quantity, near_m=1e-3, far_m=80.0)
    torch.testing.assert_close(back, DEPTHS_M)


@pytest.mark.parametrize(
    ("quantity", "of_four_metres"),
    [("depth", 4.0), ("disparity", 0.25), ("sqrt_disparity", 0.5), ("log_depth", math.log(4))],
)
def test_the_values_are_those_of_their_definitions(quantity, of_four_metres):
    assert float(from_depth(torch.tensor(4.0), quantity)) == pytest.approx(of_four_metres)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_they_rise_or_fall_as_the_map_says_of_itself(quantity):
    steps = from_depth(DEPTHS_M, quantity).diff()
    assert (steps < 0 if quantity in INVERSE else steps > 0).all()
    near = Depth(tensor=torch.zeros(1, 1), quantity=quantity).about()["near"]
    assert near == ("large" if quantity in INVERSE else "small")


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("hole", [0.0, -1.0, float("nan")])
def test_where_there_is_no_depth_there_is_zero(quantity, hole):
    values = from_depth(torch.tensor([2.0, hole]), quantity)
    assert torch.isfinite(values).all()
    assert values[1] == 0


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_any_value_gives_metres_between_the_ends(quantity):
    values = torch.tensor([-1e4, -1.0, 0.0, 1e-9, 1.0, 1e4])
    metres = to_depth(values, quantity, near_m=0.1, far_m=50.0)
    assert (metres >= 0.1).all()
    assert (metres <= 50).all()


@pytest.mark.parametrize("quantity", sorted(INVERSE))
def test_no_disparity_is_far(quantity):
    metres = float(to_depth(torch.tensor(-0.5), quantity, near_m=0.1, far_m=50.0))
    assert metres == pytest.approx(50)
