from itertools import product

import pytest
import torch

from monostep.data.check import facing
from monostep.geometry import frames
from monostep.geometry.frames import SIGNS


def _agreements(scenes, change=lambda normals: normals, chosen=range(6), *, known=True):
    return {
        str(k): facing.measure(
            change(scenes.normals[k]) if k in chosen else scenes.normals[k],
            scenes.depth_m[k],
            scenes.valid[k],
            scenes.intrinsics[k] if known else None,
        )
        for k in range(6)
    }


@pytest.mark.parametrize("known", [True, False], ids=["camera", "no camera"])
def test_clean_renders_agree_with_their_depth(scenes, known):
    agreements = _agreements(scenes, known=known)
    assert facing.find("set", "opencv", agreements) == []
    # A guessed camera tilts everything, but turns nothing round.
    assert min(each.declared for each in agreements.values()) > (0.95 if known else 0.6)


@pytest.mark.parametrize(("declared", "stored"), list(product(SIGNS, SIGNS)))
def test_every_named_frame_is_told_from_every_other(scenes, declared, stored):
    def read_as_declared(normals):
        there = frames.convert(normals, source="opencv", target=stored)
        return frames.convert(there, source=declared, target="opencv")

    findings = facing.find("set", declared, _agreements(scenes, read_as_declared))
    if declared == stored:
        assert findings == []
    else:
        assert f"as {stored}: declare that frame" in findings[0].message
        assert findings[0].severity == "error"


def test_swapped_axes_and_one_flipped_are_described(scenes):
    (finding,) = facing.find("set", "opencv", _agreements(scenes, lambda n: n[[2, 1, 0]]))
    assert "taken from z, y, x" in finding.message
    flip = torch.tensor([-1.0, 1, 1])[:, None, None]
    (finding,) = facing.find("set", "opencv", _agreements(scenes, lambda n: n * flip))
    assert "taken from -x, y, z" in finding.message


def test_one_image_alone_is_found(scenes):
    findings = facing.find("set", "opencv", _agreements(scenes, torch.neg, chosen=(2,)))
    assert [each.images for each in findings] == [("2",)]


def test_too_few_pixels_say_nothing(scenes):
    none = torch.zeros_like(scenes.normals[0])
    assert facing.measure(none, scenes.depth_m[0], scenes.valid[0], None) is None
    assert facing.find("set", "opencv", {}) == []
