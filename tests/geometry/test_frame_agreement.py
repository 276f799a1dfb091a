from itertools import permutations

import pytest
import torch

from monostep.data.procedural import render
from monostep.geometry import frame_agreement
from monostep.geometry.frame_agreement import Agreement
from monostep.geometry.frame_guess import EVERY

SIZE = (48, 64)


@pytest.fixture(scope="module")
def scenes():
    return render(31, range(4), SIZE)


def _changed(normals, axes, signs):
    """What is stored where the true component k is signs[k] times the stored axis axes[k]."""
    stored = torch.empty_like(normals)
    for k, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        stored[axis] = sign * normals[k]
    return stored


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("signs", EVERY[::3])
def test_swaps_and_flips_are_found(scenes, axes, signs):
    truth = scenes.normals[0]
    agreement = frame_agreement.compare(_changed(truth, axes, signs), truth)
    cosine, found_axes, found_signs = agreement.best()
    assert abs(cosine - 1) < 1e-5
    assert (found_axes, found_signs) == (axes, signs)


def test_as_declared_is_the_mean_cosine(scenes):
    a, b = scenes.normals[1], scenes.normals[1].roll(5, dims=2)
    both = a.any(dim=0) & b.any(dim=0)
    expected = (a * b).sum(dim=0)[both].double().mean()
    assert abs(frame_agreement.compare(a, b).declared - expected) < 1e-5


def test_together_images_count_the_same():
    one = Agreement(products=torch.eye(3) / 3)
    other = Agreement(products=torch.zeros(3, 3))
    assert abs(frame_agreement.together([one, other]).declared - 0.5) < 1e-6


def test_depth_gives_normals_of_the_right_signs_by_a_guessed_camera(scenes):
    known, unknown = [], []
    for k in range(4):
        depth_m, valid, stored = scenes.depth_m[k], scenes.valid[k], scenes.normals[k]
        guessed = frame_agreement.normals_of(depth_m, valid)
        exact = frame_agreement.normals_of(depth_m, valid, scenes.intrinsics[k])
        unknown.append(frame_agreement.compare(stored, guessed))
        known.append(frame_agreement.compare(stored, exact))
        assert unknown[-1].best()[1:] == ((0, 1, 2), (1, 1, 1))
    exact, guessed = (frame_agreement.together(each).declared for each in (known, unknown))
    assert 0.6 < guessed < exact


def test_too_little_says_nothing(scenes):
    assert frame_agreement.compare(scenes.normals[0], torch.zeros(3, *SIZE)) is None
    thin = frame_agreement.normals_of(torch.ones(1, 64), torch.ones(1, 64, dtype=torch.bool))
    assert not thin.any()


def test_better_needs_more_where_the_best_is_bad():
    assert frame_agreement.is_better(0.95, 0.85, 0.05)
    assert not frame_agreement.is_better(0.6, 0.5, 0.05)
    assert not frame_agreement.is_better(0.45, -0.9, 0.05)


def test_words_for_a_swap():
    assert frame_agreement.taken_from((1, 0, 2), (-1, 1, 1)) == "-y, x, z"
