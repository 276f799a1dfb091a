import pytest
import torch

from monostep.data.check import disparity
from monostep.data.check.disparity import Votes
from monostep.data.check.spread import Spread
from monostep.data.manifest import Declaration

METRES = Declaration(name="set")
EVERYWHERE = torch.ones(96, 128, dtype=torch.bool)


def _floor(slope=0.008, across=0.002):
    """Depth of a slanted plane: its inverse is affine in the pixel."""
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(128.0), indexing="ij")
    return 1 / (0.1 + slope * y + across * x)


def _spreads(downwards, count=8):
    spread = Spread(valid_share=1.0, least=1, median=2, most=3, downwards=downwards)
    return {str(k): spread for k in range(count)}


def test_planes_vote_for_what_they_are_and_the_inverse_swaps_the_votes():
    votes = disparity.measure(_floor(), EVERYWHERE)
    assert votes.depth > 50
    assert votes.disparity == 0
    swapped = disparity.measure(1 / _floor(), EVERYWHERE)
    assert (swapped.depth, swapped.disparity) == (votes.disparity, votes.depth)


@pytest.mark.parametrize(("scale", "shift"), [(1000, 0), (0.01, 0), (5, 0.05)])
def test_a_disparity_of_any_scale_and_shift_is_against(scale, shift):
    assert disparity.measure(scale / _floor() + shift, EVERYWHERE).against


def test_depth_in_any_unit_and_in_whole_millimetres_is_for():
    for depth in (_floor() * 1000, (_floor() * 1000).round() / 1000):
        votes = disparity.measure(depth, EVERYWHERE)
        assert votes.depth > 20
        assert votes.disparity == 0


def test_what_faces_the_camera_and_what_is_rough_abstains():
    rough = 2 + torch.rand(96, 128, generator=torch.Generator().manual_seed(1))
    for depth in (torch.full((96, 128), 2.0), rough):
        assert disparity.measure(depth, EVERYWHERE) == Votes(depth=0, disparity=0)


def test_invalid_pixels_take_no_part():
    valid = EVERYWHERE.clone()
    valid[:, 64:] = False
    broken = torch.where(valid, _floor(), torch.nan)
    votes = disparity.measure(broken, valid)
    assert 0 < votes.depth < disparity.measure(_floor(), EVERYWHERE).depth


def test_one_image_is_found_among_others_and_the_whole_set_as_one():
    good, bad = Votes(depth=40, disparity=1), Votes(depth=0, disparity=40)
    none = Votes(depth=0, disparity=0)
    (finding,) = disparity.find("set", METRES, {"a": good, "b": bad, "c": none}, {})
    assert (finding.kind, finding.severity, finding.images) == ("disparity", "error", ("b",))
    (finding,) = disparity.find("set", METRES, {"a": bad, "b": bad, "c": none}, {})
    assert finding.images == ("a", "b", "c")
    assert "80 of 80 slanted planes" in finding.message
    assert disparity.find("set", METRES, {"a": good, "b": good}, _spreads(0.9)) == []


def test_depth_declared_as_disparity_is_told_so():
    declared = Declaration(name="set", quantity="disparity", baseline_px=100)
    (finding,) = disparity.find("set", declared, {"a": Votes(depth=0, disparity=30)}, {})
    assert "declare quantity depth" in finding.message


def test_without_planes_the_trend_over_many_pictures_warns():
    none = {str(k): Votes(depth=0, disparity=0) for k in range(8)}
    (finding,) = disparity.find("set", METRES, none, _spreads(0.5))
    assert finding.severity == "warning"
    assert disparity.find("set", METRES, none, _spreads(-0.5)) == []
    assert disparity.find("set", METRES, none, _spreads(0.5, count=3)) == []


def test_planes_say_nothing_of_relative_depth_whose_shift_is_unknown():
    relative = Declaration(name="set", unit="relative")
    votes = {str(k): Votes(depth=0, disparity=40) for k in range(8)}
    assert disparity.find("set", relative, votes, _spreads(-0.5)) == []
    assert len(disparity.find("set", relative, votes, _spreads(0.5))) == 1
