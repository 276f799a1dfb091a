import pytest
import torch

from monostep.data.check import registration


def _overlaps(scenes, change=lambda values: values, turn=lambda image: image, chosen=range(12)):
    return {
        str(k): registration.measure(
            turn(scenes.image[k]) if k in chosen else scenes.image[k],
            change(scenes.depth_m[k]) if k in chosen else scenes.depth_m[k],
            change(scenes.valid[k]) if k in chosen else scenes.valid[k],
            relative=False,
        )
        for k in range(12)
    }


def test_clean_renders_lie_in_place(scenes):
    assert registration.find("set", _overlaps(scenes)) == []


@pytest.mark.parametrize(("down", "right"), [(0, 8), (6, -7), (-5, 0)])
def test_a_shift_of_all_is_found_with_its_size(scenes, down, right):
    moved = _overlaps(scenes, lambda values: values.roll((down, right), (0, 1)))
    (finding,) = registration.find("set", moved)
    assert len(finding.images) == 12
    assert abs(finding.numbers["down_px"] + down) <= 1
    assert abs(finding.numbers["right_px"] + right) <= 1


def test_shifts_of_pictures_and_of_depth_are_opposite(scenes):
    of_depth = _overlaps(scenes, lambda values: values.roll(6, -1))
    of_picture = _overlaps(scenes, turn=lambda image: image.roll(6, -1))
    one, other = (registration.find("set", each)[0] for each in (of_depth, of_picture))
    assert one.numbers["right_px"] == pytest.approx(-other.numbers["right_px"], abs=1)


@pytest.mark.parametrize(
    ("axes", "turn"), [([-1], "mirrored"), ([-2], "upside down"), ([-1, -2], "rotated")]
)
def test_turned_depth_is_found(scenes, axes, turn):
    (finding,) = registration.find("set", _overlaps(scenes, lambda values: values.flip(axes)))
    assert turn in finding.message


def test_single_images_are_found_and_no_other(scenes):
    changed = _overlaps(scenes, lambda values: values.flip(-1), chosen=(1, 4))
    found = {image for each in registration.find("set", changed) for image in each.images}
    assert found
    assert found <= {"1", "4"}


def test_holes_and_relative_depth_of_clean_renders_raise_no_alarm(scenes):
    generator = torch.Generator().manual_seed(2)
    holes = torch.rand(12, 96, 128, generator=generator) < 0.1
    overlaps = {
        str(k): registration.measure(
            scenes.image[k],
            5 * scenes.depth_m[k] + 3,
            scenes.valid[k] & ~holes[k],
            relative=True,
        )
        for k in range(12)
    }
    assert registration.find("set", overlaps) == []


def test_without_any_edge_nothing_is_said():
    grey, flat = torch.full((3, 64, 64), 0.5), torch.ones(64, 64)
    overlap = registration.measure(grey, flat, flat > 0, relative=False)
    assert registration.find("set", {"a": overlap, "b": overlap, "c": overlap}) == []
    tiny = registration.measure(grey[:, :8, :8], flat[:8, :8], flat[:8, :8] > 0, relative=False)
    assert tiny is None


@pytest.mark.parametrize("ends", [(slice(32, None), slice(None)), (slice(10, -10), slice(12, -12))])
def test_where_a_sensor_ends_is_no_edge_of_the_scene(scenes, ends):
    seen = torch.zeros(96, 128, dtype=torch.bool)
    seen[ends] = True
    cut = _overlaps(scenes, lambda values: values * seen)
    assert registration.find("set", cut) == []
    (finding,) = registration.find("set", _overlaps(scenes, lambda v: v.roll(8, -1) * seen))
    assert abs(finding.numbers["right_px"] + 8) <= 1


@pytest.mark.parametrize("most_m", [6, 10, 20, 30, 65])
def test_where_depth_reaches_a_limit_is_no_edge_of_the_scene(scenes, most_m):
    overlaps = {
        str(k): registration.measure(
            scenes.image[k],
            torch.where(scenes.depth_m[k] < most_m, scenes.depth_m[k], 0),
            scenes.valid[k] & (scenes.depth_m[k] < most_m),
            relative=False,
        )
        for k in range(12)
    }
    assert registration.find("set", overlaps) == []
