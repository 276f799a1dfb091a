import math

import torch

from monostep.data.procedural.furniture import block
from monostep.data.procedural.stage import BOX, Lamp, Pose, Solid, Stage


def test_axes_are_orthonormal_and_right_handed(grey):
    solid = Solid(
        shape=BOX, centre_m=(0, 0, 0), half_m=(1, 1, 1), material=grey, yaw_rad=0.7, tilt_rad=0.4
    )
    pose = Pose(position_m=(0, 0, 0), yaw_rad=0.3, pitch_rad=-0.4, roll_rad=0.2)
    for axes in (torch.tensor(solid.axes(), dtype=torch.float64), pose.axes()):
        torch.testing.assert_close(axes @ axes.T, torch.eye(3, dtype=torch.float64))
        assert torch.linalg.det(axes) > 0


def test_a_level_camera_sees_the_world_the_right_way_round(set_up, grey):
    one = set_up([block((2, 7, 4), (1, 1, 1), grey)], height_m=1.0)
    torch.testing.assert_close(one.boxes.centre_m[0, 0], torch.tensor([2.0, -3.0, 7.0]))
    torch.testing.assert_close(one.up[0], torch.tensor([0.0, -1.0, 0.0]))


def test_yaw_turns_right_and_pitch_looks_up(set_up, grey):
    right = set_up([block((5, 0, 1), (1, 1, 1), grey)], yaw_rad=math.pi / 2)
    torch.testing.assert_close(right.boxes.centre_m[0, 0], torch.tensor([0.0, 0.0, 5.0]))
    up = set_up([block((0, 0, 6), (1, 1, 1), grey)], pitch_rad=math.pi / 2)
    torch.testing.assert_close(up.boxes.centre_m[0, 0], torch.tensor([0.0, 0.0, 5.0]))


def test_put_turns_parts_about_their_origin(grey):
    stage = Stage(kind=0)
    stage.put([block((1, 0, 0.5), (1, 1, 1), grey)], (10, 20, 0), math.pi / 2)
    assert [round(c, 6) for c in stage.solids[0].centre_m] == [10, 21, 0.5]
    assert stage.solids[0].yaw_rad == math.pi / 2


def test_solids_around_the_camera_are_left_out(set_up, grey):
    one = set_up([block((0, 0, 1), (1, 1, 1), grey), block((0, 5, 1), (1, 1, 1), grey)])
    assert len(one.boxes) == 1


def test_lamps_are_as_bright_as_they_say_at_their_distance(set_up):
    one = set_up([], [Lamp(position_m=(0, 3, 1), colour=(1, 0.5, 0.25), reference_m=2)])
    torch.testing.assert_close(one.lights.position_m[0, 0], torch.tensor([0.0, 0.0, 3.0]))
    torch.testing.assert_close(one.lights.intensity[0, 0], torch.tensor([4.0, 2.0, 1.0]))
