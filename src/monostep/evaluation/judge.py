"""From one prediction and one truth to the numbers of one image."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.errors import InputError
from monostep.evaluation.baselines import Baselines
from monostep.evaluation.case import Case
from monostep.evaluation.rules import DepthRules, NormalsRules, Rules, Task
from monostep.evaluation.scores import EMPTY, MODEL, Line
from monostep.geometry.depth import Quantity
from monostep.metrics import alignments, boundaries
from monostep.metrics import depth as depth_metrics
from monostep.metrics import normals as normals_metrics
from monostep.metrics.angle_histogram import AngleHistogram

Numbers = Mapping[str, float]  # by metric
Angles = Float[Tensor, " pixel"]  # degrees


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """One contender on one benchmark: what was done, and what came of it."""

    name: str  # of the contender
    about: Mapping[str, Any]  # of the contender: `model` or `predictions`, hashes, `settings`
    task: Task
    rules: Rules
    benchmark: Mapping[str, Any]  # what it says of itself: list and hash, decoding, crop
    lines: Sequence[Line]  # one for each image of the list, in its order
    histogram: AngleHistogram | None = None  # of all angles, where the rules pool them


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """A map [height, width] of depth in its quantity, or normals [3, height, width] in OpenCV's."""

    values: Tensor
    quantity: Quantity = "depth"


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """What is known of one image, and its angles where the rules pool those of all images."""

    line: Line
    angle_deg: Angles | None = None


def judge(
    prediction: Prediction, case: Case, rules: Rules, *, rivals: Mapping[str, Numbers]
) -> Scored:
    """The numbers of a prediction; `rivals` are those of the baselines on the same image."""
    problem = unjudgeable(case, rules) or _unfit(prediction.values, case, rules)
    if problem:
        return failed(case, problem)
    truth, valid = truth_of(case, rules)
    try:
        numbers, angle_deg = _numbers(prediction, truth, valid, rules)
    except InputError as error:
        return failed(case, str(error))
    if problem := _not_finite(numbers):
        return failed(case, problem)
    line = Line(
        image=case.name,
        stratum=case.stratum,
        pixels=int(valid.sum()),
        scores={MODEL: numbers, **rivals},
    )
    return Scored(line=line, angle_deg=angle_deg)


def judge_baselines(case: Case, rules: Rules, baselines: Baselines) -> dict[str, Numbers]:
    """The numbers of every baseline; depth with the truth's scale and shift whatever the rules."""
    truth, valid = truth_of(case, rules)
    height, width = valid.shape
    if isinstance(rules, NormalsRules):
        maps = baselines.maps("normals", (height, width))
        return {
            name: normals_metrics.scores(angles(each, truth, valid)) for name, each in maps.items()
        }
    return {
        name: _depth(Prediction(values=each), truth, valid, rules, alignment="depth")
        for name, each in baselines.maps("depth", (height, width)).items()
    }


def aligned(prediction: Prediction, case: Case, rules: DepthRules) -> Float[Tensor, "h w"]:
    """Predicted depth in metres, as it is judged."""
    truth, valid = truth_of(case, rules)
    return _aligned(prediction, truth, valid, rules, rules.alignment)


def angles(
    predicted: Float[Tensor, "3 height width"],
    truth: Float[Tensor, "3 height width"],
    valid: Bool[Tensor, "height width"],
) -> Angles:
    """Angle between two maps of normals at each valid pixel, in degrees."""
    return normals_metrics.angle_deg(predicted[None], truth[None])[0][valid]


def failed(case: Case, problem: str) -> Scored:
    """An image that cannot be judged, and why."""
    return Scored(line=Line(image=case.name, stratum=case.stratum, pixels=0, problem=problem))


def unjudgeable(case: Case, rules: Rules) -> str | None:
    """Why nothing can be judged on this image by these rules, if so."""
    if isinstance(rules, DepthRules):
        truth, valid = case.depth_m, case.depth_valid
    else:
        truth, valid = case.normals, case.normals_valid
    if truth is None or valid is None:
        return f"no true {task_of(rules)}"
    if not valid.any():
        return EMPTY
    wrong = int((valid & ~_usable(truth)).sum())
    if wrong:
        return (
            f"the truth is 0 or below, or not finite, at {wrong} of {int(valid.sum())} valid "
            "pixels; correct it or its mask"
        )
    return None


def task_of(rules: Rules) -> Task:
    """What these rules judge."""
    return "depth" if isinstance(rules, DepthRules) else "normals"


def truth_of(case: Case, rules: Rules) -> tuple[Tensor, Bool[Tensor, "height width"]]:
    """What a judgeable image is judged by, and at which pixels."""
    if isinstance(rules, DepthRules):
        assert case.depth_m is not None and case.depth_valid is not None
        return case.depth_m, case.depth_valid
    assert case.normals is not None and case.normals_valid is not None
    return case.normals, case.normals_valid


def _unfit(values: Tensor, case: Case, rules: Rules) -> str | None:
    """Why a map cannot be compared with the truth, if so."""
    expected = tuple(truth_of(case, rules)[0].shape)
    if tuple(values.shape) != expected:
        got, wanted = (f"{shape[-1]}x{shape[-2]}" for shape in (values.shape, expected))
        return f"the prediction has {got} pixels, the truth {wanted}"
    return _holes(values, truth_of(case, rules)[1])


def _usable(truth: Tensor) -> Bool[Tensor, "height width"]:
    """Where truth can be compared with: depth above 0, normals of any length."""
    if truth.ndim == 3:
        return torch.isfinite(truth).all(dim=0)
    return (truth > 0) & torch.isfinite(truth)


def _holes(values: Tensor, valid: Bool[Tensor, "height width"]) -> str | None:
    """How many judged pixels have no finite prediction, if any; what stands elsewhere is free."""
    finite = torch.isfinite(values)
    known = finite if values.ndim == 2 else finite.all(dim=0)
    without = int((valid & ~known).sum())
    if not without:
        return None
    return f"prediction is not finite at {without} of {int(valid.sum())} judged pixels"


def _not_finite(numbers: Numbers) -> str | None:
    """Which score is no number, if any; only those of boundaries may have no value."""
    for name, value in numbers.items():
        if name not in boundaries.NAMES and not math.isfinite(value):
            return f"{name} is {value}: the prediction is too large to be judged; correct it"
    return None


def _numbers(
    prediction: Prediction, truth: Tensor, valid: Bool[Tensor, "height width"], rules: Rules
) -> tuple[Numbers, Angles | None]:
    """All metrics, and the angles where the rules pool them."""
    if isinstance(rules, DepthRules):
        return _depth(prediction, truth, valid, rules), None
    angle_deg = angles(prediction.values, truth, valid)
    return normals_metrics.scores(angle_deg), angle_deg if rules.pooled else None


def _depth(
    prediction: Prediction,
    truth_m: Float[Tensor, "height width"],
    valid: Bool[Tensor, "height width"],
    rules: DepthRules,
    *,
    alignment: alignments.Alignment | None = None,
) -> Numbers:
    depth_m = _aligned(prediction, truth_m, valid, rules, alignment or rules.alignment)
    numbers = depth_metrics.scores(depth_m, truth_m, valid)
    if rules.boundaries:
        numbers = {**numbers, **boundaries.scores(depth_m, truth_m, valid)}
    return numbers


def _aligned(
    prediction: Prediction,
    truth_m: Float[Tensor, "height width"],
    valid: Bool[Tensor, "height width"],
    rules: DepthRules,
    alignment: alignments.Alignment | None,
) -> Float[Tensor, "height width"]:
    return alignments.align(
        _filled(prediction.values, valid),
        truth_m,
        valid,
        alignment=alignment or prediction.quantity,
        quantity=prediction.quantity,
        near_m=rules.near_m,
        far_m=rules.far_m,
        align_side=rules.align_side,
    )


def _filled(
    values: Float[Tensor, "height width"], valid: Bool[Tensor, "height width"]
) -> Float[Tensor, "height width"]:
    """The map with a usual value at unjudged pixels that have none."""
    finite = torch.isfinite(values)
    return values if finite.all() else torch.where(finite, values, values[valid].median())
