import dataclasses

import pytest

from monostep.data.check import invalid
from monostep.data.check.plateau import Plateau
from monostep.data.manifest import Declaration

METRES = Declaration(name="set", unit="mm")
RELATIVE = Declaration(name="set", unit="relative")
HOLES = Plateau(
    end="most", value=20.0, share=0.02, neighbour=4.0, leap=5.0, step=0.8, of_top=0.0, height=0.5
)


def _find(plateau, declaration=METRES):
    return invalid.find("set", declaration, {"a": [plateau]})


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"end": "least", "value": 0.001},
        {"value": 65.535, "leap": 1.01},  # 16 bits of millimetres, just behind the scene
        {"value": 65.535, "end": "inside", "leap": 1.01},
        {"value": 10000.0},
        {"value": 10000.0, "of_top": 1.0},  # along the top, but low on average
    ],
)
def test_one_value_apart_from_the_rest_or_well_known_is_found(change):
    (finding,) = _find(dataclasses.replace(HOLES, **change))
    assert (finding.kind, finding.severity) == ("invalid", "error")
    assert f"{change.get('value', 20.0):.6g} m" in finding.message


@pytest.mark.parametrize(
    "change",
    [
        {"share": 0.0005},  # a few pixels
        {"leap": 1.01},  # the wall at the end of a room
        {"end": "inside"},
        {"end": "far"},
        {"value": 655.35, "of_top": 1.0, "height": 0.2, "share": 0.3},  # told as sky
    ],
)
def test_surfaces_and_sky_are_not(change):
    assert _find(dataclasses.replace(HOLES, **change)) == []


def test_relative_depth_is_judged_by_its_own_range():
    zeros = dataclasses.replace(HOLES, end="least", value=0.0, leap=float("inf"), step=0.2)
    (finding,) = _find(zeros, RELATIVE)
    assert "exactly 0, the next value" in finding.message
    assert _find(dataclasses.replace(zeros, step=0.001), RELATIVE) == []


def test_the_same_last_value_in_several_images_is_the_end_of_a_sensor():
    wall = dataclasses.replace(HOLES, value=4.123, neighbour=4.122, leap=1.0002)
    assert invalid.find("set", METRES, {"a": [wall], "b": [wall]}) == []
    assert len(invalid.find("set", METRES, {"a": [wall], "b": [wall], "c": [wall]})) == 3
