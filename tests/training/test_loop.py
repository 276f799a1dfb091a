import json

import pytest
import torch
from torch import nn

from monostep.errors import TrainingError
from monostep.recipes import recipe
from monostep.training import loop
from monostep.training.overriding import override


class Constant:
    """A task of one number, so that the loop's own behaviour shows."""

    metric = "error"

    def __init__(self, scores, loss=1.0):
        self.trained = nn.Linear(1, 1, bias=False)
        self.scores = iter(scores)
        self.factor = loss

    def loss(self, samples, *, step):  # noqa: ARG002
        brightness = samples.image.mean(dim=(1, 2, 3))
        return self.factor * (self.trained(brightness[:, None])[:, 0] - 1).square()

    def score(self, samples):
        return torch.full((len(samples),), next(self.scores))


def _config(*settings):
    small = ["steps=4", "phases=[[0,8,8,2]]", "validation_scenes=2", "validate_every=1"]
    return override(recipe("nano-depth"), [*small, "precision=fp32", *settings])


def test_only_better_models_are_kept(tmp_path):
    kept = []
    progress = loop.run(
        Constant([3.0, 2.0, 2.5, 1.0]),
        _config(),
        tmp_path,
        lambda *, step, score: kept.append((step, score)),
    )
    assert kept == [(1, 3.0), (2, 2.0), (4, 1.0)]
    assert progress.best == 1.0


def test_a_validation_that_is_not_finite_stops_the_run(tmp_path):
    with pytest.raises(TrainingError, match="validation error is nan"):
        loop.run(Constant([float("nan")]), _config(), tmp_path, lambda **_: None)


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_scenes(tmp_path):
    task = Constant([1.0], loss=float("nan"))
    before = task.trained.weight.clone()
    with pytest.raises(TrainingError, match=r"step 1: loss nan.*Scenes \[\(0, 1\)\]"):
        loop.run(task, _config(), tmp_path, lambda **_: None)
    assert torch.equal(task.trained.weight, before)


def test_accumulated_micro_batches_equal_one_large_batch(tmp_path):
    weights, logs = [], []
    for settings in (["accumulate=2", "phases=[[0,8,8,1]]"], ["phases=[[0,8,8,2]]"]):
        torch.manual_seed(0)
        task = Constant([1.0] * 9)
        config = _config(
            *settings, "warmup=0", "validate_every=9", "log_every=1", "validation_scenes=1"
        )
        loop.run(task, config, tmp_path / settings[0], lambda **_: None)
        weights.append(task.trained.weight)
        lines = (tmp_path / settings[0] / "log.jsonl").read_text().splitlines()
        logs.append([json.loads(line) for line in lines if "loss" in line])
    torch.testing.assert_close(*weights)
    for one, other in zip(*logs, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
        assert one["gradient_norm"] == pytest.approx(other["gradient_norm"], rel=1e-5)
