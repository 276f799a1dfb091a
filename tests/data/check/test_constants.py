import pytest

from monostep.data.check import constants
from monostep.data.check.spread import Spread


def _spread(least=1.0, median=2.0, most=3.0, valid_share=0.9):
    return Spread(valid_share=valid_share, least=least, median=median, most=most, downwards=0.0)


@pytest.mark.parametrize(
    ("spread", "words"),
    [
        (_spread(least=2.0, most=2.0), "every valid depth is 2 m"),
        (_spread(least=2.0, most=2.00001), "every valid depth is 2 m"),
        (_spread(valid_share=0.0), "0.000% of the depths are valid"),
    ],
)
def test_maps_without_depths_to_tell_apart_are_found(spread, words):
    (finding,) = constants.find("set", {"a": _spread(), "b": spread}, {})
    assert (finding.kind, finding.severity, finding.images) == ("constant", "error", ("b",))
    assert words in finding.message


def test_a_picture_of_one_colour_is_found_and_a_dim_one_is_not():
    (finding,) = constants.find("set", {}, {"black": 0.0, "dim": 0.05})
    assert finding.images == ("black",)


def test_a_wall_that_is_a_little_slanted_is_no_constant():
    assert constants.find("set", {"wall": _spread(least=1.9999, most=2.0001)}, {}) == []
