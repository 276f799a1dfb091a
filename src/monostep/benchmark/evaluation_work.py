"""What the evaluation benchmark computes: an image, and two ways to judge a prediction of it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from monostep.benchmark import evaluation_reference
from monostep.data.procedural.render import render
from monostep.data.splits import SEEDS
from monostep.geometry import nearest
from monostep.metrics import alignments, depth

OURS, REFERENCE = "monostep", "float32 lstsq, whole maps"
NEAR_M, FAR_M = 1e-5, 80.0  # ETH3D's near end; surfaces beyond the other are not judged
COARSE = 8  # pixels of one that is rendered


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """What is evaluated: a noisy affine map, and the truth with holes."""

    predicted: Float32[Tensor, "height width"]
    truth_m: Float32[Tensor, "height width"]
    valid: Bool[Tensor, "height width"]


@dataclass(frozen=True, kw_only=True)
class Program:
    """One way to evaluate."""

    align: Callable[[Scene], Tensor]
    scores: Callable[[Tensor, Tensor, Tensor], dict[str, float]]


def scene(size: tuple[int, int]) -> Scene:
    """A procedural scene, coarse and repeated, whose prediction has noise in every pixel."""
    coarse = render(SEEDS["test"], [0], (max(size[0] // COARSE, 8), max(size[1] // COARSE, 8)))
    generator = torch.Generator().manual_seed(0)
    hole = torch.rand(coarse.valid.shape, generator=generator) < 0.2
    valid = coarse.valid & (coarse.depth_m <= FAR_M) & ~hole
    truth_m, valid = (nearest.resize(each[0], size) for each in (coarse.depth_m, valid))
    noise = 0.03 * torch.randn(size, generator=generator)
    return Scene(predicted=(truth_m / FAR_M) ** 0.9 * (1 + noise), truth_m=truth_m, valid=valid)


PROGRAMS = {
    OURS: Program(
        align=lambda scene: alignments.align(
            scene.predicted,
            scene.truth_m,
            scene.valid,
            alignment="depth",
            quantity="depth",
            near_m=NEAR_M,
            far_m=float("inf"),
        ),
        scores=depth.scores,
    ),
    REFERENCE: Program(
        align=lambda scene: evaluation_reference.align(
            scene.predicted, scene.truth_m, scene.valid, near_m=NEAR_M
        ),
        scores=evaluation_reference.scores,
    ),
}
