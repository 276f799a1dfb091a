import torch

from monostep.evaluation.frames.found import Measured, conclude, settle
from monostep.geometry.frame_agreement import Agreement
from monostep.geometry.frame_guess import EVERY
from monostep.geometry.frames import SIGNS

OPENGL = SIGNS["opengl"]


def _scores(best, others, right=OPENGL, open_axis=None):
    """One way is right, and the same with an axis flipped as good."""
    found = {way: best if way == right else others for way in EVERY}
    if open_axis is not None:
        found[tuple(-s if k == open_axis else s for k, s in enumerate(right))] = best
    return found


def _measured(*, outward=(0.0, 0.0), away=None, **others):
    return Measured(away=away or _scores(0.0, 0.5), outward=outward, **others)


def test_the_camera_alone_can_be_enough():
    found = conclude("camera", [_measured(), _measured()], said=["dsine"], coded=2)
    assert (found.frame, found.confidence, found.images) == ("opengl", "clear", 2)
    values = found.values()
    assert values["frame"] == "opengl"
    assert values["axes"] == "right, up, back"
    assert values["ways"][0] == {"frame": "opengl", "axes": "right, up, back", "value": 0.0}
    assert len(values["ways"]) == 8
    assert values["said_by_files"] == ["dsine"]
    assert values["files_in_0_to_1"] == 2


def test_the_usual_look_decides_an_axis_that_is_open_and_is_called_likely():
    away = _scores(0.0, 0.5, open_axis=0)
    for right in (OPENGL, SIGNS["dsine"]):
        # as stored: what turns inwards as x points right turns outwards as it points left
        outward = (-0.5 if right[0] > 0 else 0.5, 0.5)
        found = conclude("camera", [_measured(away=away, outward=outward)])
        assert found.signs == right
        assert found.confidence == "likely"
        assert found.unknown == ()


def test_an_open_axis_without_a_usual_look_cannot_be_told():
    away = _scores(0.0, 0.5, open_axis=0)
    found = conclude("camera", [_measured(away=away, outward=(0.1, 0.5))])
    assert (found.frame, found.confidence, found.unknown) == (None, "none", ("x",))
    assert found.values()["axes"] is None


def test_nothing_fits_normals_of_the_world():
    found = conclude("camera", [_measured(away=_scores(0.45, 0.5), outward=(0.9, 0.9))])
    assert found.frame is None
    assert "camera space" in str(found.doubt)


def test_a_reference_goes_before_the_camera():
    angles = _scores(8.0, 60.0, right=SIGNS["dsine"])
    found = conclude("truth", [_measured(angles=angles)])
    assert (found.frame, found.confidence) == ("dsine", "clear")
    assert found.values()["measure"] == "mean angle in degrees"


def test_depth_against_the_camera_is_doubted_and_truth_is_not():
    angles = _scores(8.0, 60.0, right=SIGNS["directx"])
    found = conclude("depth", [_measured(angles=angles)])
    assert found.frame is None
    assert "--quantity disparity" in str(found.doubt)
    assert conclude("truth", [_measured(angles=angles)]).frame == "directx"


def test_swapped_axes_are_named():
    swapped = Agreement(products=torch.tensor([[0.0, 0.3, 0], [0.3, 0, 0], [0, 0, 0.35]]))
    found = conclude("truth", [_measured(angles=_scores(30.0, 50.0), agreement=swapped)])
    assert found.confidence == "none"
    assert found.doubt == "axes are swapped: the true x, y, z are the stored y, x, z"


def test_a_way_without_a_name_is_clear_all_the_same():
    found = conclude("camera", [_measured(away=_scores(0.0, 0.5, right=(-1, 1, 1)))])
    assert (found.frame, found.confidence) == (None, "clear")
    assert found.values()["axes"] == "left, down, forward"


def _read(right, angle, away):
    angles = _scores(angle, 60.0, right=right)
    return conclude("depth", [_measured(away=away, angles=angles)])


def test_of_two_readings_the_better_is_taken_and_only_likely():
    open_away = dict.fromkeys(EVERY, 0.0)  # the camera decides nothing
    opengl, dsine = SIGNS["opengl"], SIGNS["dsine"]
    as_depth, as_disparity = _read(opengl, 20.0, open_away), _read(dsine, 5.0, open_away)
    found = settle(as_depth, as_disparity)
    assert (found.frame, found.confidence) == ("dsine", "likely")
    assert "taken for disparity" in str(found.values()["caveat"])
    found = settle(as_disparity, as_depth)
    assert (found.frame, found.confidence) == ("dsine", "likely")
    assert "taken for depth" in str(found.caveat)


def test_a_reading_that_nothing_speaks_for_does_not_count():
    clear = _read(OPENGL, 8.0, _scores(0.0, 0.5))
    doubted = _read(SIGNS["dsine"], 2.0, _scores(0.0, 0.5))
    assert doubted.confidence == "none"
    assert settle(clear, doubted) == clear
    assert settle(doubted, clear) == doubted
    assert settle(clear, _read(OPENGL, 2.0, _scores(0.0, 0.5))).confidence == "clear"
