import math

import pytest
import torch

from monostep.data.procedural import render
from monostep.geometry import frame_facing, frames
from monostep.geometry.frame_guess import AWAY, EVERY, Guess, mean, name
from monostep.geometry.frames import SIGNS

SIZE = (48, 64)


@pytest.fixture(scope="module")
def scenes():
    return render(31, range(12), SIZE)


def _plane(normal):
    direction = torch.nn.functional.normalize(torch.tensor(normal, dtype=torch.float32), dim=0)
    return direction[:, None, None].expand(3, *SIZE).clone()


@pytest.mark.parametrize("frame", list(SIGNS))
def test_scenes_tell_their_frame(scenes, frame):
    stored = frames.convert(scenes.normals, source="opencv", target=frame)
    guess = Guess(scores=mean([frame_facing.away(each) for each in stored]), scale=AWAY)
    assert name(guess.signs) == frame
    assert guess.unsure == ()
    assert guess.scores[guess.signs] < 0.01


def test_reading_another_way_is_flipping_the_signs(scenes):
    plain = frame_facing.away(scenes.normals[0])
    flipped = frame_facing.away(scenes.normals[0] * torch.tensor([-1.0, 1, -1])[:, None, None])
    for x, y, z in EVERY:
        assert plain[x, y, z] == flipped[-x, y, -z]


def test_a_floor_seen_from_above_decides_y_and_nothing_else():
    floor = _plane([0, -1, -0.02])
    floor[:, : SIZE[0] // 2] = 0  # below the horizon
    guess = Guess(scores=frame_facing.away(floor), scale=AWAY)
    assert guess.signs[1] == 1
    assert 1 not in guess.unsure
    assert 0 in guess.unsure


def test_a_wall_in_front_decides_z_alone():
    guess = Guess(scores=frame_facing.away(_plane([0, 0, -1])), scale=AWAY)
    assert guess.signs[2] == 1
    assert guess.unsure == (0, 1)


def test_scenes_turn_inwards_and_a_ball_outwards(scenes):
    turned = [frame_facing.outward(each) for each in scenes.normals]
    assert sum(x for x, _ in turned) / len(turned) < -0.2
    assert sum(y for _, y in turned) / len(turned) < -0.2
    y, x = torch.meshgrid(
        torch.linspace(-0.7, 0.7, 48), torch.linspace(-0.7, 0.7, 64), indexing="ij"
    )
    ball = torch.stack([x, y, -(1 - x**2 - y**2).clamp_min(0).sqrt()])
    across, down = frame_facing.outward(ball)
    assert across > 0.9
    assert down > 0.9
    mirrored = frame_facing.outward(ball * torch.tensor([-1.0, 1, 1])[:, None, None])
    assert math.isclose(mirrored[0], -across, rel_tol=1e-6)
    assert mirrored[1] == down


def test_no_normals_say_nothing():
    assert frame_facing.away(torch.zeros(3, *SIZE)) is None
    assert frame_facing.outward(torch.zeros(3, *SIZE)) == (0.0, 0.0)
