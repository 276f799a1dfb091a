import dataclasses

import pytest
import torch

from monostep.benchmark.cases import Case
from monostep.benchmark.subjects import DIFFUSERS, Subject
from monostep.benchmark.training_diffusers import DiffusersLearner, affine_invariant_l1
from monostep.benchmark.training_own import OwnLearner
from monostep.benchmark.training_program import TrainingAssignment
from monostep.benchmark.training_work import work
from monostep.losses import depth

CASE = Case(size=(32, 48), batch=2)
WORK = work(CASE)


@pytest.fixture
def assignment(weights):
    return TrainingAssignment(
        subject=Subject(kind=DIFFUSERS, dtype="fp32"),
        weights=weights,
        device="cpu",
        case=CASE,
        recompute="none",
    )


def _steps(learner, count=2):
    learner.begin(WORK)
    return [learner.step() for _ in range(count)]


@pytest.mark.filterwarnings("ignore")  # diffusers deprecates at length
@pytest.mark.parametrize(("tuned", "recompute"), [(False, "none"), (False, "unet"), (True, "all")])
@pytest.mark.slow
def test_both_programs_do_the_same_work_also_after_an_update(assignment, tuned, recompute):
    same = dataclasses.replace(assignment, recompute=recompute)
    theirs, ours = DiffusersLearner(same, tuned=tuned), OwnLearner(same)
    assert theirs.kept_bytes == ours.kept_bytes
    for one, other in zip(_steps(theirs), _steps(ours), strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-4)
        assert one.norm == pytest.approx(other.norm, rel=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_bfloat16_learns_float32_weights_through_a_frozen_half(assignment):
    half = dataclasses.replace(assignment, subject=Subject(kind=DIFFUSERS, dtype="bf16"))
    learner = DiffusersLearner(half, tuned=False)
    assert {p.dtype for p in learner.unet.parameters()} == {torch.float32}
    assert {p.dtype for p in learner.vae.parameters()} == {torch.bfloat16}
    first, second = _steps(learner)
    assert second.loss < first.loss
    assert all(p.grad is None for p in learner.vae.parameters())
    exact = _steps(DiffusersLearner(assignment, tuned=False), count=1)
    assert first.loss == pytest.approx(exact[0].loss, rel=0.05)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("target", "expected"), [("sample", 2.0), ("epsilon", -2.5)])
def test_the_clean_latent_follows_the_prediction_type(assignment, target, expected):
    learner = DiffusersLearner(assignment, tuned=False)
    learner.scheduler.register_to_config(prediction_type=target)
    noisy, said = torch.tensor([0.1]), torch.tensor([2.0])
    clean = learner._clean(noisy, said, torch.tensor(0.36))
    torch.testing.assert_close(clean, torch.tensor([expected]))


def test_the_plain_loss_is_the_paper_s():
    torch.manual_seed(0)
    predicted, truth = torch.rand(2, 6, 5), 1 + torch.rand(2, 6, 5)
    valid = torch.rand(2, 6, 5) > 0.3
    ours = depth.affine_invariant_l1(predicted, truth, valid.float()).mean()
    torch.testing.assert_close(affine_invariant_l1(predicted, truth, valid), ours)
    moved = affine_invariant_l1(3 * predicted - 1, truth, valid)
    torch.testing.assert_close(moved, ours)
