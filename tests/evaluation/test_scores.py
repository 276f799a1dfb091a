import pytest
import torch

from monostep.evaluation import scores
from monostep.evaluation.scores import MODEL, depth_scores, lines, normals_scores, not_finite


def test_affine_depth_scores_as_perfect(truth):
    found = depth_scores(0.1 * truth.depth_m - 1, truth, least_m=1e-3)
    assert tuple(found) == scores.METRICS["depth"]
    assert (found["abs_rel"] < 1e-5).all()
    assert found["delta1"][:2].tolist() == [1, 1]


def test_perfect_normals_score_as_perfect(truth):
    found = normals_scores(truth.normals, truth)
    assert tuple(found) == scores.METRICS["normals"]
    assert (found["mean_angle_deg"] < 1e-4).all()
    for metric in scores.METRICS["normals"][1:]:
        assert found[metric][:2].tolist() == [1, 1]


def test_shares_grow_with_the_angle(truth):
    noisy = truth.normals + 0.4 * torch.randn(truth.normals.shape)
    found = normals_scores(noisy / noisy.norm(dim=1, keepdim=True), truth)
    shares = [found[metric] for metric in scores.METRICS["normals"][1:]]
    assert (shares[0][:2] < shares[1][:2]).all()
    assert (shares[1][:2] < shares[2][:2]).all()


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_failures_and_images_without_valid_pixels_are_named(truth, task):
    values = {MODEL: {"abs_rel": torch.tensor([0.1, 0.2, 0.0])}}
    first, second, third = lines(truth, values, task=task, failures={1: "too dark"})
    assert (first.image, first.stratum, first.problem) == ("a", "indoor", None)
    assert first.scores[MODEL]["abs_rel"] == pytest.approx(0.1)
    assert second.problem == "too dark"
    assert "no valid pixel" in third.problem


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_maps_that_are_not_finite_are_found(value):
    maps = torch.zeros(3, 4, 5)
    maps[1, 2, 3] = value
    assert list(not_finite(maps)) == [1]
