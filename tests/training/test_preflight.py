import dataclasses
import shutil
from collections import namedtuple

import line_task
import pytest
import torch

from monostep.data.cache import SceneCache
from monostep.errors import TrainingError
from monostep.recipes import recipe
from monostep.training import preflight
from monostep.training.overriding import override


def _config(*settings):
    return override(recipe("nano-depth"), ["precision=fp32", "learning_rate=0.1", *settings])


def test_a_sound_task_passes_and_no_gradient_stays():
    task = line_task.LineTask()
    preflight.check_weights(task)
    preflight.check_gradient(task, _config(), line_task.batch())
    assert all(parameter.grad is None for parameter in task.model.parameters())


def test_nothing_to_learn_is_said():
    task = line_task.LineTask()
    task.trained.requires_grad_(requires_grad=False)
    with pytest.raises(TrainingError, match="nothing learns"):
        preflight.check_weights(task)


def test_half_precision_weights_that_learn_are_said():
    task = line_task.LineTask()
    task.trained.bfloat16()
    with pytest.raises(TrainingError, match="weight learns in bfloat16, expected float32"):
        preflight.check_weights(task)


def test_no_grad_on_the_way_is_said():
    task = line_task.LineTask()
    whole = task.error
    task.error = torch.no_grad()(whole)
    with pytest.raises(TrainingError, match="not connected to the weights"):
        preflight.check_gradient(task, _config(), line_task.batch())


def test_a_weight_that_no_gradient_reaches_is_named():
    task = line_task.LineTask()
    task.trained.register_parameter("spare", torch.nn.Parameter(torch.ones(1)))
    with pytest.raises(TrainingError, match=r"not reach 1 of 3 tensors .* such as spare"):
        preflight.check_gradient(task, _config(), line_task.batch())


def test_a_frozen_weight_that_a_gradient_reaches_is_named():
    task = line_task.LineTask()
    task.model.frozen.requires_grad_(requires_grad=True)
    with pytest.raises(TrainingError, match=r"reaches frozen weights, such as frozen\.weight"):
        preflight.check_gradient(task, _config(), line_task.batch())
    assert task.model.frozen.weight.grad is None


def test_a_loss_that_is_not_finite_names_the_images():
    task = line_task.LineTask()
    with torch.no_grad():
        task.trained.bias.fill_(float("nan"))
    with pytest.raises(TrainingError, match="loss of the first batch is nan: images image 0, imag"):
        preflight.check_gradient(task, _config(), line_task.batch())


def test_a_gradient_that_is_not_finite_is_named():
    task = line_task.LineTask()
    task.error = lambda samples: (
        (task.trained.weight * 0).sqrt().sum() * samples.image.mean(dim=(1, 2, 3))
        + 0 * task.trained.bias
    )
    with pytest.raises(TrainingError, match="gradient of weight is not finite"):
        preflight.check_gradient(task, _config(), line_task.batch())


def test_one_batch_is_learned_and_forgotten():
    task = line_task.LineTask()
    first, last = preflight.overfit(task, _config("overfit=60"), line_task.batch())
    assert last < first / 2
    assert torch.equal(task.trained.weight, torch.zeros(1, 1))
    assert task.trained.weight.grad is None


def test_a_batch_that_cannot_be_learned_stops_the_run():
    task = line_task.LineTask()
    with pytest.raises(TrainingError, match=r"3 steps on one batch .* expected at most half"):
        preflight.overfit(task, _config("overfit=3", "learning_rate=1e-9"), line_task.batch())


def test_a_disk_without_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(TrainingError, match=r"0.0 GB are free, the run needs 0.3 GB for 2 states"):
        preflight.check_disk(line_task.LineTask(), _config(), tmp_path / "new" / "run")
    assert not (tmp_path / "new").exists()


def test_the_plan_counts_images_and_epochs():
    lines = preflight.plan(
        _config("steps=10", "phases=[[0,8,8,2]]", "accumulate=2", "warmup=5"),
        [SceneCache(1, 40, folder=None)],
    )
    assert lines == ["10 steps of 2 x 2 images from procedural (40 images): 40 images, 1 epochs"]


def test_a_warm_up_that_never_ends_is_noted():
    lines = preflight.plan(_config("steps=10", "warmup=10"), [SceneCache(1, 40, folder=None)])
    assert "warmup 10 is not below steps 10" in lines[1]


def test_a_first_batch_without_a_valid_pixel_is_said():
    batch = line_task.batch()
    blind = dataclasses.replace(batch.samples, valid=torch.zeros_like(batch.samples.valid))
    blind = dataclasses.replace(batch, samples=blind)
    with pytest.raises(TrainingError, match="no pixel of the first batch is valid: images image 0"):
        preflight.check_gradient(line_task.LineTask(), _config(), blind)


def test_only_what_learns_and_is_carried_needs_room_in_states(tmp_path, monkeypatch):
    task = line_task.LineTask()
    task.model.frozen = torch.nn.Linear(10_000, 10_000, device="meta").requires_grad_(
        requires_grad=False
    )
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 2 * 4 * 10**8 + 3 * 10**8))
    preflight.check_disk(task, _config("keep=50"), tmp_path)
    task.carried = {"target": task.model.frozen}
    with pytest.raises(TrainingError, match="the run needs"):
        preflight.check_disk(task, _config("keep=50"), tmp_path)
