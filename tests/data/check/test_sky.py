import dataclasses

import pytest

from monostep.data.check import sky
from monostep.data.check.plateau import Plateau

SKY = Plateau(
    end="most", value=655.35, share=0.3, neighbour=40.0, leap=16.0, step=0.9, of_top=1.0, height=0.2
)


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        ({}, "error"),
        ({"end": "inside", "value": 80.0, "leap": 1.001}, "error"),
        ({"value": 12.0}, "error"),  # near, but far behind the rest
        ({"end": "far", "value": 900.0}, "warning"),
    ],
)
def test_a_far_plateau_along_the_top_is_sky(change, severity):
    (finding,) = sky.find("set", {"a": [dataclasses.replace(SKY, **change)], "b": []})
    assert (finding.kind, finding.severity, finding.images) == ("sky", severity, ("a",))
    assert "100% of the top rows" in finding.message


@pytest.mark.parametrize(
    "change",
    [
        {"of_top": 0.1},
        {"height": 0.7},
        {"share": 0.001},
        {"value": 12.0, "leap": 1.001},  # a wall that faces the camera
        {"end": "least"},
    ],
)
def test_what_lies_elsewhere_or_near_is_not(change):
    assert sky.find("set", {"a": [dataclasses.replace(SKY, **change)]}) == []
