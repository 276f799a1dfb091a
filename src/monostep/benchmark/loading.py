"""From a subject's name to its program."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from monostep.benchmark import diffusers_program, matrix_product, own_program, rivals
from monostep.benchmark.program import Program, Weights
from monostep.benchmark.subjects import DIFFUSERS, OURS, PEAK, UNFOLDED, Subject


def libraries(subject: Subject) -> None:
    """Import what a program needs, so that loading is timed without it."""
    if subject.kind == DIFFUSERS:
        diffusers_program.libraries()
    elif subject.kind in rivals.ARCHITECTURES:
        rivals.libraries()


def load(subject: Subject, weights: Weights, device: torch.device) -> Program:
    """The program of a subject with these weights, compiled if it says so."""
    ways = {
        OURS: own_program.load,
        UNFOLDED: own_program.load_unfolded,
        DIFFUSERS: diffusers_program.load,
    }
    if subject.kind == PEAK:
        return matrix_product.load(subject.dtype, device)
    if subject.kind in rivals.ARCHITECTURES:
        return rivals.load(subject.kind, subject.dtype, device)
    program = ways[subject.kind](weights, subject.dtype, device)
    if subject.compiled:
        for part in program.compilable:
            part.replace(partial(_compiled, device=device))
    return program


def _compiled(work: Callable[..., Any], device: torch.device) -> Callable[..., Any]:
    if device.type != "cuda":
        return torch.compile(work, dynamic=False)
    graphed = torch.compile(work, dynamic=False, mode="reduce-overhead")

    def kept(*args: Any, **kwargs: Any) -> Any:
        # CUDA graphs write every outcome into the same memory.
        return tree_map_only(Tensor, Tensor.clone, graphed(*args, **kwargs))

    return kept
