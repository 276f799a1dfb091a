import pytest

from monostep.data.procedural import layout_outdoor
from monostep.data.procedural.draws import Draws
from monostep.data.procedural.render import view


def test_the_open_air_has_near_ground_and_sky_or_something_in_its_stead():
    skies = 0
    for index in range(12):
        seen = view(layout_outdoor.outdoor(Draws(3, index), 1, 0.7), (24, 32))
        assert seen.valid.any()
        skies += bool(seen.sky.any())
        assert seen.depth_m.max() < 1e4
    assert skies >= 4


@pytest.mark.parametrize("make", ["car", "post_or_tree"])
def test_street_furniture_stands_on_the_ground(make):
    for index in range(20):
        parts = getattr(layout_outdoor, make)(Draws(1, index))
        assert all(part.centre_m[2] > 0 for part in parts)


def test_a_house_reaches_its_height():
    walls = layout_outdoor.house(Draws(1, 0), (3.0, 4.0, 2.5))[0]
    assert walls.centre_m[2] + walls.half_m[2] == 5
