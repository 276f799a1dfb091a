import dataclasses

import pytest
import torch

from monostep.benchmark.cases import Case
from monostep.benchmark.subjects import OURS, Subject
from monostep.benchmark.training_own import OwnLearner, config
from monostep.benchmark.training_program import TrainingAssignment
from monostep.benchmark.training_work import work
from monostep.training.optimiser import set_learning_rate
from monostep.training.step import DepthTask

CASE = Case(size=(32, 48), batch=2)


@pytest.fixture
def assignment(weights):
    return TrainingAssignment(
        subject=Subject(kind=OURS, dtype="fp32"),
        weights=weights,
        device="cpu",
        case=CASE,
        recompute="none",
    )


def test_a_step_is_the_task_s_gradient_clipped_and_taken(assignment):
    learner = OwnLearner(assignment)
    learner.begin(work(CASE))
    task = learner.updater.loss.task
    assert isinstance(task, DepthTask)
    loss = task.loss(learner._batch).mean()
    gradients = torch.autograd.grad(loss, list(task.trained.parameters()))
    norm = torch.stack([g.norm() for g in gradients]).norm()
    seen = learner.step()
    assert seen.loss == pytest.approx(loss.item(), rel=1e-6)
    assert seen.norm == pytest.approx(norm.item(), rel=1e-5)
    assert learner.step().loss < seen.loss


def test_the_rate_is_constant(assignment):
    how = config(assignment)
    learner = OwnLearner(assignment)
    rates = [set_learning_rate(learner.updater.optimiser, how, step) for step in (0, 1, 1000)]
    assert rates == [3e-5] * 3


def test_recomputing_changes_nothing(assignment):
    losses = []
    for how in ("none", "all"):
        learner = OwnLearner(dataclasses.replace(assignment, recompute=how))
        learner.begin(work(CASE))
        losses.append([learner.step() for _ in range(2)])
    for plain, twice in zip(*losses, strict=True):
        assert twice.loss == pytest.approx(plain.loss, rel=1e-6)
        assert twice.norm == pytest.approx(plain.norm, rel=1e-4)


def test_kept_bytes_are_of_the_learning_unet_and_the_frozen_autoencoder(assignment):
    learner = OwnLearner(assignment)
    model = learner.updater.loss.task.model
    unet, vae = (sum(p.numel() for p in part.parameters()) for part in (model.unet, model.vae))
    assert learner.kept_bytes == 4 * (4 * unet + vae)
    half = dataclasses.replace(assignment, subject=Subject(kind=OURS, dtype="bf16"))
    assert OwnLearner(half).kept_bytes == 4 * 4 * unet + 2 * vae
