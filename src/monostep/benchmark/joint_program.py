"""Depth and normals of a picture in three ways, each a process of its own.

joint             one folded model of both: one pass
two models        a folded model of depth and one of normals: a pass each
joint unfolded    the same weights as joint, as the network that is trained
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from monostep.benchmark import own_program
from monostep.benchmark.cases import Case
from monostep.benchmark.program import Pictures, Program, Weights
from monostep.benchmark.worker import Assignment

JOINT, TWO, UNFOLDED = "joint", "two models", "joint unfolded"
KINDS = (JOINT, TWO, UNFOLDED)


@dataclass(frozen=True, kw_only=True)
class JointAssignment(Assignment):
    """Its `weights` are the joint model's; `alone` are those of depth and of normals."""

    alone: tuple[Weights, Weights]

    def program(self, device: torch.device) -> Program:
        """What the subject runs, loaded."""
        kind, dtype = self.subject.kind, self.subject.dtype
        if kind == JOINT:
            return own_program.load(self.weights, dtype, device)
        if kind == UNFOLDED:
            return own_program.load_unfolded(self.weights, dtype, device)
        return one_after_the_other(
            [own_program.load(weights, dtype, device) for weights in self.alone]
        )


def one_after_the_other(programs: Sequence[Program]) -> Program:
    """Several programs of one precision as one; a stage is that stage of all of them."""

    def predict(pictures: Pictures, case: Case) -> list[Any]:
        return [program.predict(pictures, case) for program in programs]

    return Program(
        dtype=programs[0].dtype,
        predict=predict,
        timed=list(itertools.chain.from_iterable(program.timed for program in programs)),
        patch=max(program.patch for program in programs),
        weight_bytes=sum(program.weight_bytes or 0 for program in programs),
    )
