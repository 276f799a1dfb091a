"""Scores of many images as one report: means, intervals, baselines; JSON, CSV and table rows."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from monostep.checkpoints.card import Card
from monostep.evaluation.judge import Judged
from monostep.evaluation.protocol import Protocol
from monostep.evaluation.scores import METRICS, MODEL, SMALLER_IS_BETTER, Line
from monostep.files.atomic import write_bytes, write_json
from monostep.inference import resolve

LEVEL = 0.95  # of the confidence intervals
RESAMPLES = 2000
SEED = 0


def report(benchmark: str, protocol: Protocol, judged: Judged) -> dict[str, Any]:
    """Everything about one model on one benchmark, as plain values.

    Means are over images; those with a problem are listed under `failed` and count in none, neither
    for the model nor for the baselines.
    """
    card = judged.card
    counted = [line for line in judged.lines if line.problem is None]
    strata = dict.fromkeys(line.stratum for line in counted)
    return {
        "benchmark": benchmark,
        "protocol": protocol.name,
        "settings": protocol.as_dict() | _model_settings(judged),
        "model": card.name,
        "weights_sha256": card.tensor_hash,
        "task": card.task,
        **summary(counted, card),
        "strata": {
            name: summary([line for line in counted if line.stratum == name], card)
            for name in strata
        },
        "failed": [
            {"image": line.image, "reason": line.problem} for line in judged.lines if line.problem
        ],
    }


def summary(lines: Sequence[Line], card: Card) -> dict[str, Any]:
    """Means of the model and of every baseline over some images, and how they compare.

    `ratio_to_best_baseline` is the model's mean over that of the baseline that is best in this
    metric: below 1 is good for errors, above 1 for shares of good pixels.
    """
    if not lines:
        return {"images": 0, "metrics": {}, "confidence": {}, "baselines": {}}
    means: dict[str, dict[str, float]] = {}
    for method in lines[0].scores:
        means[method] = {name: float(_column(lines, method, name).mean()) for name in _of(card)}
    baselines = {method: values for method, values in means.items() if method != MODEL}
    return {
        "images": len(lines),
        "metrics": means[MODEL],
        "confidence": {name: interval(_column(lines, MODEL, name)) for name in _of(card)},
        "baselines": baselines,
        "ratio_to_best_baseline": {
            name: _ratio(name, means[MODEL][name], [one[name] for one in baselines.values()])
            for name in _of(card)
        },
    }


def interval(values: Float[np.ndarray, " image"]) -> list[float]:
    """Percentile-bootstrap 95 % interval of the mean over images: [low, high]."""
    generator = np.random.default_rng(SEED)
    chosen = generator.integers(len(values), size=(RESAMPLES, len(values)))
    tail = (1 - LEVEL) / 2
    return [float(end) for end in np.quantile(values[chosen].mean(axis=1), (tail, 1 - tail))]


def write(folder: Path, stem: str, values: dict[str, Any], lines: Sequence[Line]) -> None:
    """Write the report as STEM.json, and one line per image as STEM.csv."""
    methods = list(lines[0].scores) if lines else [MODEL]
    metrics = METRICS[values["task"]]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    names = [_heading(method, metric) for method in methods for metric in metrics]
    table.writerow(["image", "stratum", "problem", *names])
    for line in lines:
        cells = [line.scores[method][metric] for method in methods for metric in metrics]
        shown = [""] * len(cells) if line.problem else [f"{cell:.6g}" for cell in cells]
        table.writerow([line.image, line.stratum, line.problem or "", *shown])
    write_bytes(folder / f"{stem}.csv", text.getvalue().encode())
    write_json(folder / f"{stem}.json", values)


def table_rows(values: dict[str, Any]) -> list[list[str]]:
    """The report for people: a heading row, then per group of images the model and its rivals."""
    metrics = METRICS[values["task"]]
    rows = [["images", "method", *metrics]]
    groups = {"all": values} | (values["strata"] if len(values["strata"]) > 1 else {})
    for name, group in groups.items():
        methods = {values["model"]: group["metrics"], **group["baselines"]}
        for method, means in methods.items():
            cells = [f"{means[metric]:.4g}" if metric in means else "-" for metric in metrics]
            rows.append([f"{name} ({group['images']})", method, *cells])
    return rows


def _model_settings(judged: Judged) -> dict[str, Any]:
    return {
        "inference": asdict(resolve(judged.card)),
        "dtype": judged.dtype,
        "bootstrap": {"level": LEVEL, "resamples": RESAMPLES, "seed": SEED},
    }


def _of(card: Card) -> tuple[str, ...]:
    return METRICS[card.task]


def _column(lines: Sequence[Line], method: str, metric: str) -> Float[np.ndarray, " image"]:
    return np.array([line.scores[method][metric] for line in lines], np.float64)


def _ratio(metric: str, value: float, rivals: Sequence[float]) -> float | None:
    best = min(rivals) if metric in SMALLER_IS_BETTER else max(rivals)
    return value / best if best > 0 else None


def _heading(method: str, metric: str) -> str:
    return metric if method == MODEL else f"{method}.{metric}"
