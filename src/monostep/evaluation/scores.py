"""From predictions to one line of scores per image."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.evaluation.protocol import Task
from monostep.evaluation.truth import Truth
from monostep.metrics import depth as depth_metrics
from monostep.metrics import normals as normals_metrics

MODEL = "model"  # the method that is judged; the others are baselines
PRIMARY: dict[Task, str] = {"depth": "abs_rel", "normals": "mean_angle_deg"}
METRICS: dict[Task, tuple[str, ...]] = {
    "depth": ("abs_rel", "delta1"),
    "normals": ("mean_angle_deg", "within_11.25_deg", "within_22.5_deg", "within_30_deg"),
}
SMALLER_IS_BETTER = frozenset(PRIMARY.values())

PerImage = Float[Tensor, " batch"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """Scores of one image: metric by metric, method by method."""

    image: str
    stratum: str
    scores: Mapping[str, Mapping[str, float]]
    problem: str | None = None  # why the image counts in no mean


def depth_scores(
    predicted: Float[Tensor, "batch height width"], truth: Truth, *, least_m: float
) -> dict[str, PerImage]:
    """AbsRel and delta1 of affine depth after alignment, in float32."""
    depth_m = depth_metrics.aligned(predicted, truth.depth_m, truth.depth_valid, least_m=least_m)
    return {
        "abs_rel": depth_metrics.abs_rel(depth_m, truth.depth_m, truth.depth_valid),
        "delta1": depth_metrics.delta1(depth_m, truth.depth_m, truth.depth_valid),
    }


def normals_scores(
    predicted: Float[Tensor, "batch 3 height width"], truth: Truth
) -> dict[str, PerImage]:
    """Mean angle in degrees, and shares of pixels within 11.25, 22.5 and 30 degrees."""
    assert truth.normals is not None and truth.normals_valid is not None
    expected, valid = truth.normals, truth.normals_valid
    scores = {"mean_angle_deg": normals_metrics.mean_angle_deg(predicted, expected, valid)}
    for degrees in (11.25, 22.5, 30):
        share = normals_metrics.within(predicted, expected, valid, degrees=degrees)
        scores[f"within_{degrees}_deg"] = share
    return scores


def lines(
    truth: Truth,
    by_method: Mapping[str, Mapping[str, PerImage]],
    *,
    task: Task,
    failures: Mapping[int, str],
) -> list[Line]:
    """One line per image; `failures` are the images that the model could not do, and why."""
    valid = truth.depth_valid if task == "depth" else truth.normals_valid
    assert valid is not None
    judged = valid.any(dim=2).any(dim=1)
    result = []
    for row, (name, stratum) in enumerate(zip(truth.names, truth.strata, strict=True)):
        scores = {
            method: {metric: float(values[row]) for metric, values in metrics.items()}
            for method, metrics in by_method.items()
        }
        problem = failures.get(row) or (None if judged[row] else "no valid pixel to judge")
        result.append(Line(image=name, stratum=stratum, scores=scores, problem=problem))
    return result


def not_finite(predicted: Tensor) -> dict[int, str]:
    """Which maps of a batch hold a value that is not finite, with the words for it."""
    finite = torch.isfinite(predicted).flatten(1).all(dim=1)
    return {row: "prediction is not finite" for row, good in enumerate(finite.tolist()) if not good}
