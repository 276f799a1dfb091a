"""One program, loaded and ready to predict: whoever made it, it is called alike."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Float32
from torch import Tensor

from monostep import inference as choices
from monostep.benchmark.cases import Case
from monostep.benchmark.stopwatch import Part
from monostep.checkpoints import opening
from monostep.checkpoints.card import Card
from monostep.checkpoints.opening import Checkpoint
from monostep.inference import Inference

Pictures: TypeAlias = Float[Tensor, "batch 3 height width"]
Map: TypeAlias = Float32[np.ndarray, "height width channel"]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What everyone loads; `prompt` is the embedding that diffusers would compute, if needed."""

    source: str
    prompt: Float32[np.ndarray, "token width"]
    task: str | None = None
    frame: str | None = None

    def find(self) -> Checkpoint:
        """The checkpoint, from its small files."""
        return opening.find(self.source, task=self.task, frame=self.frame)


@dataclass(frozen=True, kw_only=True)
class Program:
    """What its user would call, and where its stages can be timed and compiled.

    `compare` is a prediction as diffusers' pipelines make it (the previous sample of the last step,
    normals clipped), of the first picture; of a joint model depth, then normals. None where there
    is nothing to compare.
    """

    dtype: str
    predict: Callable[[Pictures, Case], Any]
    compare: Callable[[Pictures, Case], Map] | None = None
    timed: list[Part] = field(default_factory=list)
    compilable: list[Part] = field(default_factory=list)
    patch: int = 1  # image sides must be divisible by this
    weight_bytes: int | None = None  # in memory; None: not told


def settings(card: Card, case: Case, *, last: str | None = None) -> Inference:
    """How a checkpoint is run in a case, at the picture's own size."""
    return choices.resolve(
        card,
        resolution=0,
        steps=case.steps,
        ensemble=case.members,
        noise=case.noise,
        last=last,
    )


def values(result: Float[Tensor, "channel height width"]) -> Map:
    """A map as it travels between processes."""
    return result.permute(1, 2, 0).float().cpu().numpy()
