import pytest

from monostep.data.procedural import furniture
from monostep.data.procedural.draws import Draws


@pytest.mark.parametrize("make", sorted({f.__name__ for f in furniture.FURNITURE}))
def test_furniture_stands_on_the_floor_and_is_of_human_size(make):
    for index in range(30):
        parts = getattr(furniture, make)(Draws(1, index))
        lowest = min(part.centre_m[2] - part.half_m[2] for part in parts)
        assert -0.06 < lowest < 0.06
        assert all(0 < half < 2.5 for part in parts for half in part.half_m)
        assert max(part.centre_m[2] + part.half_m[2] for part in parts) < 3


def test_a_thing_has_about_the_size_asked_for():
    for index in range(30):
        parts = furniture.thing(Draws(2, index), 0.2, (1.0, 2.0, 0.5))
        assert all(half <= 0.2 for part in parts for half in part.half_m)
        assert all(part.centre_m[:2] == (1.0, 2.0) for part in parts)
        assert parts[0].centre_m[2] > 0.5


def test_primitives_have_their_measures(grey):
    assert furniture.block((0, 0, 0), (1, 2, 3), grey).half_m == (1, 2, 3)
    assert furniture.column((0, 0, 0), 0.5, 2, grey).half_m == (0.5, 0.5, 2)
    assert furniture.ball((0, 0, 0), (1, 2, 3), grey).half_m == (1, 2, 3)
