"""Scores of many images as means with intervals, beside the baselines'."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from monostep.evaluation.reports import bootstrap
from monostep.evaluation.scores import MODEL, Line, larger_is_better

MEDIAN = "median_angle_deg"
_SQUARED = frozenset({"rmse_angle_deg"})  # the root of pooled squares is the pooled score


def summary(lines: Sequence[Line], metrics: Sequence[str]) -> dict[str, Any]:
    """Unweighted means over images of the model and of every baseline.

    An image that has no value of a metric (no depth edge in its truth) is left out of that metric
    and counted under `without_value`. `ratio_to_best_baseline` is the model's mean over that of the
    baseline that is best in this metric: below 1 is good for errors, above 1 for shares.
    """
    return _summary(lines, metrics, np.ones(len(lines)))


def pooled(lines: Sequence[Line], metrics: Sequence[str]) -> dict[str, Any]:
    """The same over all pixels of all images: sums weighted with each image's pixels, exact.

    Medians are left out, since those of images do not make that of their pixels. The intervals
    resample images with their pixels, because the pixels of an image are not independent.
    """
    kept = [name for name in metrics if name != MEDIAN]
    weights = np.array([line.pixels for line in lines], np.float64)
    return _summary(lines, kept, weights, squared=_SQUARED)


def _summary(
    lines: Sequence[Line],
    metrics: Sequence[str],
    weights: Float[np.ndarray, " image"],
    *,
    squared: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    if not lines:
        return {"images": 0, "metrics": {}, "confidence": {}, "baselines": {}}
    power = np.array([2 if name in squared else 1 for name in metrics])
    tables = {method: table(lines, method, metrics) ** power for method in lines[0].scores}
    means = {
        method: dict(
            zip(metrics, (bootstrap.means(one, weights) ** (1 / power)).tolist(), strict=True)
        )
        for method, one in tables.items()
    }
    ends = bootstrap.intervals(tables[MODEL], weights) ** (1 / power[:, None])
    rivals = {method: values for method, values in means.items() if method != MODEL}
    missing = np.isnan(tables[MODEL]).sum(axis=0).tolist()
    return {
        "images": len(lines),
        "metrics": means[MODEL],
        "confidence": dict(zip(metrics, ends.tolist(), strict=True)),
        "baselines": rivals,
        "ratio_to_best_baseline": {
            name: _ratio(name, means[MODEL][name], [one[name] for one in rivals.values()])
            for name in metrics
        },
        "without_value": {n: c for n, c in zip(metrics, missing, strict=True) if c},
    }


def table(
    lines: Sequence[Line], method: str, metrics: Sequence[str]
) -> Float[np.ndarray, "image metric"]:
    """One method's scores; nan where it has none."""
    rows = [[line.scores[method].get(name, np.nan) for name in metrics] for line in lines]
    return np.array(rows, np.float64)


def _ratio(metric: str, value: float, rivals: Sequence[float]) -> float | None:
    known = [rival for rival in rivals if np.isfinite(rival)]
    if not known:
        return None
    best = max(known) if larger_is_better(metric) else min(known)
    return value / best if best > 0 else None
