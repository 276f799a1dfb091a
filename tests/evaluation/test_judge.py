import dataclasses

import pytest
import torch

from monostep.checkpoints.card import Card
from monostep.errors import InputError, SettingError
from monostep.evaluation.baselines import Means
from monostep.evaluation.judge import judge
from monostep.evaluation.protocol import Motorcycle, Procedural
from monostep.evaluation.scores import MODEL, PRIMARY
from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals
from monostep.inference import resolve
from monostep.predictor import Predictor


class Stub(Predictor):
    """Predicts the truth, except where it is told to fail."""

    def __init__(self, truth, task, *, fails=None, spoils=None):
        self.card = Card(name=f"stub-{task}", task=task, resolution=0, invariance="affine")
        self.dtype = torch.float32
        self.truth, self.fails, self.spoils = truth, fails, spoils
        self.calls = 0

    def inference(self, **asked):
        return resolve(self.card, **asked)

    def predict(self, pictures, inference, *, at_once):
        assert inference == resolve(self.card)
        assert at_once == len(pictures)
        self.calls += 1
        return [self._one(picture) for picture in pictures]

    def _one(self, picture):
        row = next(i for i, image in enumerate(self.truth.image) if torch.equal(image, picture))
        if row == self.fails:
            raise InputError("the network's output is not finite")
        depth = self.card.task == "depth"
        tensor = (self.truth.depth_m / 6 if depth else self.truth.normals)[row].clone()
        if row == self.spoils:
            tensor[..., 0, 0] = float("nan")
        return Depth(tensor=tensor) if depth else Normals(tensor=tensor)


@pytest.fixture
def means():
    return Means(
        depth=torch.linspace(1, 0, 6)[:, None].expand(6, 8).clone(),
        normals=torch.tensor([0.0, 0.0, -1.0])[:, None, None].expand(3, 6, 8).clone(),
        direction=torch.tensor([0.0, -0.6, -0.8])[:, None, None],
    )


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_the_truth_is_perfect_and_better_than_every_baseline(truth, means, task):
    heard = []
    (judged,) = judge([Stub(truth, task)], [truth], Procedural(), means=means, done=heard.append)
    assert heard == [3]
    metric = PRIMARY[task]
    for line in judged.lines[:2]:
        assert line.problem is None
        mine = line.scores[MODEL][metric]
        assert mine < 1e-4
        assert all(rival[metric] > mine for name, rival in line.scores.items() if name != MODEL)
    assert judged.lines[2].problem == "no valid pixel to judge"


def test_several_models_are_judged_on_the_same_images(truth, means):
    models = [Stub(truth, "depth"), Stub(truth, "normals")]
    results = judge(models, iter([truth, truth]), Procedural(), means=means)
    assert [len(result.lines) for result in results] == [6, 6]
    assert [model.calls for model in models] == [2, 2]
    assert [set(result.lines[0].scores) for result in results] == [
        {MODEL, "constant", "row", "mean_map"},
        {MODEL, "constant", "mean_map"},
    ]


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_one_failed_image_is_named_and_the_others_are_judged(truth, means, task):
    model = Stub(truth, task, fails=1)
    (judged,) = judge([model], [truth], Procedural(), means=means)
    assert judged.lines[0].problem is None
    assert "not finite" in judged.lines[1].problem
    assert judged.lines[0].scores[MODEL][PRIMARY[task]] < 1e-4


def test_one_value_that_is_not_finite_disqualifies_its_image_only(truth, means):
    (judged,) = judge([Stub(truth, "depth", spoils=0)], [truth], Procedural(), means=means)
    assert judged.lines[0].problem == "prediction is not finite"
    assert judged.lines[1].problem is None


def test_normals_cannot_be_judged_where_only_depth_is_known(truth):
    photograph = dataclasses.replace(truth, normals=None, normals_valid=None)
    with pytest.raises(SettingError, match="name a depth model"):
        judge([Stub(truth, "normals")], [photograph], Motorcycle(), means=None)


def test_other_errors_are_not_hidden(truth, means):
    model = Stub(truth, "depth")
    model.truth = None
    with pytest.raises(AttributeError):
        judge([model], [truth], Procedural(), means=means)
