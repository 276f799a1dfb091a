import math

import numpy as np
import pytest
import torch

from monostep.geometry import frame_guess
from monostep.geometry.frame_guess import ANGLE, AWAY, EVERY, Guess
from monostep.geometry.frames import SIGNS


@pytest.fixture
def vectors():
    return torch.randn(3, 500, generator=torch.Generator().manual_seed(0))


def _scores(best, others, **given):
    return {
        way: given.get("at", {}).get(way, best if way == (1, 1, 1) else others) for way in EVERY
    }


def test_all_eight_ways_are_there_and_four_have_names():
    assert len(set(EVERY)) == 8
    assert {frame_guess.name(way) for way in EVERY} == {*SIGNS, None}
    assert all(frame_guess.name(signs) == name for name, signs in SIGNS.items())


def test_directions_are_those_of_the_frames():
    assert frame_guess.directions(SIGNS["opencv"]) == "right, down, forward"
    assert frame_guess.directions(SIGNS["opengl"]) == "right, up, back"
    assert frame_guess.directions(SIGNS["dsine"]) == "left, up, back"


@pytest.mark.parametrize("way", EVERY)
def test_the_angle_is_0_the_right_way_and_equals_numpys_every_way(vectors, way):
    stored = vectors * torch.tensor(way)[:, None] * 3
    angles = frame_guess.mean_angles_deg(stored, vectors * 0.5)
    assert angles[way] < 1e-5
    a = stored.double().numpy()
    b = vectors.double().numpy()
    for other in EVERY:
        cosine = (a * np.array(other)[:, None] * b).sum(0)
        cosine /= np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
        expected = np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()
        assert math.isclose(angles[other], expected, rel_tol=1e-6, abs_tol=1e-5)


def test_opposite_ways_are_supplementary(vectors):
    other = torch.randn(3, 500, generator=torch.Generator().manual_seed(1))
    angles = frame_guess.mean_angles_deg(vectors, other)
    for way in EVERY:
        x, y, z = way
        assert math.isclose(angles[way] + angles[(-x, -y, -z)], 180, rel_tol=1e-9)


def test_a_guess_is_the_best_way_and_sure_of_what_the_scores_decide():
    guess = Guess(scores=_scores(10, 40), scale=ANGLE)
    assert guess.signs == (1, 1, 1)
    assert guess.unsure == ()
    alike = Guess(scores=_scores(10, 40, at={(-1, 1, 1): 10.5}), scale=ANGLE)
    assert alike.unsure == (0,)
    both = Guess(scores=_scores(0.2, 0.8, at={(1, -1, 1): 0.2, (-1, 1, 1): 0.4}), scale=AWAY)
    assert both.unsure == (1,)


def test_nothing_is_sure_where_nothing_fits():
    assert Guess(scores=_scores(70, 110), scale=ANGLE).unsure == (0, 1, 2)
    assert Guess(scores=_scores(0.4, 0.9), scale=AWAY).unsure == (0, 1, 2)


def test_images_count_the_same():
    means = frame_guess.mean([_scores(0, 10), _scores(20, 30)])
    assert means == _scores(10, 20)
