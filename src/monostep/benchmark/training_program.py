"""One program, loaded and ready to learn: whoever made it, it is called alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from monostep.benchmark.cases import Case
from monostep.benchmark.subjects import DIFFUSERS
from monostep.benchmark.training_work import Work
from monostep.benchmark.worker import Assignment
from monostep.training.config import Recompute

TUNED = "diffusers-tuned"
OTHERS = (DIFFUSERS, TUNED)
COPIES = 4  # of what learns: weights, gradients, and AdamW's two moments


@dataclass(frozen=True, kw_only=True)
class TrainingAssignment(Assignment):
    """Which program a process is, what it computes twice, and on what."""

    case: Case
    recompute: Recompute

    def worker(self) -> Any:
        """Who answers in its process, which alone imports the programs."""
        from monostep.benchmark.training_worker import TrainingWorker

        return TrainingWorker(self)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a step saw: the loss, and the norm of the gradient before clipping."""

    loss: float
    norm: float


@runtime_checkable
class Learner(Protocol):
    """A program that learns."""

    kept_bytes: int  # that no step can do without: frozen weights, and `COPIES` of what learns

    def begin(self, work: Work) -> None:
        """Take the images that all steps learn from."""
        ...

    def step(self) -> Seen:
        """Forward, backward, clip, and one step of the optimiser."""
        ...


def kept_bytes(weights: Iterable[Tensor]) -> int:
    """Of the weights, and of gradients and moments of those that learn."""
    copies = ((COPIES if w.requires_grad else 1, w.numel() * w.element_size()) for w in weights)
    return sum(count * size for count, size in copies)
