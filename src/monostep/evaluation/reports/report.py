"""One contender on one benchmark as JSON, CSV and Markdown, and as rows for a screen."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monostep.evaluation import scores
from monostep.evaluation.judge import Judged
from monostep.evaluation.reports import bootstrap, markdown
from monostep.evaluation.reports.summary import MEDIAN, pooled, summary
from monostep.evaluation.rules import NormalsRules, Task
from monostep.evaluation.scores import EMPTY, MODEL, Line
from monostep.files.atomic import write_bytes, write_json

SHOWN: dict[Task, tuple[str, ...]] = {
    "depth": ("abs_rel", "delta1", "rmse_m", "silog", "boundary_f1"),
    "normals": ("mean_angle_deg", MEDIAN, "within_11.25_deg", "within_22.5_deg", "within_30_deg"),
}


def report(benchmark: str, judged: Judged) -> dict[str, Any]:
    """Everything about one contender on one benchmark, as plain values.

    Images with a problem are listed under `failed` and count in no mean, neither for the model nor
    for the baselines; `empty` are those of them whose truth has no valid pixel, and `missing` those
    of the list that the data do not have whole. Where the rules pool pixels, `metrics` are
    over all pixels and `per_image` has the means over images.
    """
    rules = judged.rules
    metrics = scores.names(rules)
    counted = [line for line in judged.lines if line.problem is None]
    is_pooled = isinstance(rules, NormalsRules) and rules.pooled
    over = pooled if is_pooled else summary
    strata = dict.fromkeys(line.stratum for line in counted)
    values = {
        **_about(benchmark, judged),
        **over(counted, metrics),
        "strata": {
            name: over([line for line in counted if line.stratum == name], metrics)
            for name in strata
        },
        **_problems(judged),
    }
    if is_pooled:
        values["per_image"] = summary(counted, metrics)
        values["metrics"] = _with_median(values["metrics"], judged)
    return _plain(values)


def write(folder: Path, stem: str, values: Mapping[str, Any], lines: Sequence[Line]) -> None:
    """Write STEM.json, one line per image as STEM.csv, and STEM.md for people."""
    write_bytes(folder / f"{stem}.csv", table_csv(lines).encode())
    write_bytes(folder / f"{stem}.md", markdown.document(values).encode())
    write_json(folder / f"{stem}.json", values)


def table_csv(lines: Sequence[Line]) -> str:
    """One line per image, with enough digits for means to 1e-6; nan: no value of this metric."""
    first = next((line.scores for line in lines if line.scores), {})
    columns = [(method, metric) for method, metrics in first.items() for metric in metrics]
    text = io.StringIO()
    file = csv.writer(text, lineterminator="\n")
    names = [metric if method == MODEL else f"{method}.{metric}" for method, metric in columns]
    file.writerow(["image", "stratum", "problem", "pixels", *names])
    for line in lines:
        cells = [
            "" if line.problem else f"{line.scores[method][metric]:.9g}"
            for method, metric in columns
        ]
        file.writerow([line.image, line.stratum, line.problem or "", line.pixels, *cells])
    return text.getvalue()


def table_rows(values: Mapping[str, Any]) -> list[list[str]]:
    """The main metrics for people: a heading, then per group of images the model and its rivals."""
    metrics = [name for name in SHOWN[values["task"]] if name in values["metrics"]]
    if not values["metrics"]:
        metrics = list(SHOWN[values["task"]][:2])
    rows = [["images", "method", *metrics]]
    groups = {"all": values} | (values["strata"] if len(values["strata"]) > 1 else {})
    for name, group in groups.items():
        methods = {markdown.contender(values): group["metrics"], **group["baselines"]}
        for method, means in methods.items():
            cells = [_cell(means.get(metric)) for metric in metrics]
            rows.append([f"{name} ({group['images']})", method, *cells])
    return rows


def _about(benchmark: str, judged: Judged) -> dict[str, Any]:
    """What was judged by which rules, on which data; `settings` holds every choice."""
    about = dict(judged.about)
    settings = {**judged.rules.as_dict(), **about.pop("settings", {})}
    settings.pop("protocol")
    return {
        "benchmark": benchmark,
        "protocol": judged.rules.protocol,
        "settings": {**settings, "bootstrap": bootstrap.as_dict()},
        "data": judged.benchmark,
        **about,
        "task": judged.task,
    }


def _problems(judged: Judged) -> dict[str, Any]:
    failed = [line for line in judged.lines if line.problem is not None]
    return {
        "failed": [{"image": line.image, "reason": line.problem} for line in failed],
        "empty": sum(line.problem == EMPTY for line in failed),
        "missing": judged.benchmark.get("missing", 0),
    }


def _with_median(values: Mapping[str, Any], judged: Judged) -> dict[str, float]:
    """Pooled means with the pooled median in its place; it has no interval of its own."""
    known = dict(values)
    if judged.histogram is not None and values:
        known[MEDIAN] = judged.histogram.median_deg()
    return {name: known[name] for name in scores.names(judged.rules) if name in known}


def _plain(value: Any) -> Any:
    """With null for numbers that JSON does not have: limits at infinity, means of nothing."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
