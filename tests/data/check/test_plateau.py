import pytest
import torch

from monostep.data.check import plateau

EVERYWHERE = torch.ones(64, 80, dtype=torch.bool)


def _ramp():
    return torch.linspace(1, 5, 64 * 80).reshape(64, 80)


def _of(values, end, valid=EVERYWHERE):
    found = [each for each in plateau.measure(values, valid) if each.end == end]
    return found[0] if found else None


def test_value_share_and_place_of_a_plateau_at_the_far_end():
    values = _ramp()
    values[:16] = 50.0
    most = _of(values, "most")
    assert most.value == 50
    assert most.share == pytest.approx(0.25)
    assert most.leap == pytest.approx(10)
    assert most.of_top == 1
    assert most.height == pytest.approx(8 / 64)
    assert _of(values, "far") is None  # it is one value: told once


def test_a_plateau_at_the_near_end_and_one_inside():
    values = _ramp()
    values[20:24] = 0.1
    values[40:44] = 3.0
    assert _of(values, "least").leap == pytest.approx(10)
    inside = _of(values, "inside")
    assert inside.value == 3
    assert inside.share == pytest.approx(4 / 64)


def test_far_is_what_a_leap_sets_apart():
    values = _ramp()
    values[:8] += 100
    far = _of(values, "far")
    assert far.share == pytest.approx(8 / 64)
    assert far.value == pytest.approx(101)
    assert _of(_ramp(), "far") is None


def test_a_surface_has_single_pixels_at_its_ends_and_nothing_inside():
    found = plateau.measure(_ramp(), EVERYWHERE)
    assert [each.end for each in found] == ["least", "most"]
    assert all(each.share < 1e-3 and each.leap < 1.01 for each in found)


def test_invalid_pixels_do_not_count_and_one_value_has_no_plateau():
    values = _ramp()
    values[:16] = 50.0
    valid = EVERYWHERE.clone()
    valid[:16] = False
    assert _of(values, "most", valid).value == pytest.approx(5)
    assert plateau.measure(torch.full((4, 4), 2.0), torch.ones(4, 4, dtype=torch.bool)) == ()
    assert plateau.measure(_ramp(), ~EVERYWHERE) == ()
