import torch
from torch import nn

from monostep.benchmark.cases import Case
from monostep.benchmark.subjects import OURS, Subject
from monostep.benchmark.training_program import TrainingAssignment, kept_bytes
from monostep.benchmark.training_worker import TrainingWorker


def test_what_learns_is_kept_four_times_and_what_is_frozen_once():
    learns, frozen = nn.Linear(10, 10), nn.Linear(10, 10).eval()
    frozen.requires_grad_(requires_grad=False)
    weights = [*learns.parameters(), *frozen.parameters()]
    assert kept_bytes(weights) == 4 * 110 * (4 + 1)
    assert kept_bytes(p.to(torch.bfloat16) for p in frozen.parameters()) == 2 * 110


def test_a_process_that_learns_gets_a_worker_that_learns(weights):
    assignment = TrainingAssignment(
        subject=Subject(kind=OURS, dtype="fp32"),
        weights=weights,
        device="cpu",
        case=Case(size=(8, 8)),
        recompute="none",
    )
    assert isinstance(assignment.worker(), TrainingWorker)
