"""One cell of the paper's tables as plain values: the printed figures, and ours beside them."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from monostep.errors import InputError
from monostep.evaluation.papers import published
from monostep.evaluation.papers.published_row import METRICS, PROTOCOLS, Cell, Row
from monostep.evaluation.reports.units import scale
from monostep.evaluation.rules import Task
from monostep.files.atomic import read_json


def planned(key: str, row: Row) -> dict[str, Any]:
    """A row as it is printed, with how it could be scored."""
    tolerance = published.tolerance(row)
    return {
        "row": key,
        "method": published.label(row),
        "task": row.task,
        "how": row.how,
        "run": None if row.run is None else asdict(row.run),
        "protocol": PROTOCOLS[row.task],
        "metrics": list(METRICS[row.task]),
        "training_images": row.samples,
        "seconds": row.seconds,
        "note": row.note,
        "tolerance": round(tolerance, 3),
        "benchmarks": {name: {"published": list(cell)} for name, cell in row.cells.items()},
    }


def scored(row: Row, cell: Cell, report: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Ours in the paper's units, and whether it is the printed figure within the tolerance.

    `within` is None where it is not known: some images of the published list were not judged.
    """
    ours = _ours(row.task, report)
    if ours is None:
        return unscored("no image could be judged") | {"report": file}
    difference = [own - printed for own, printed in zip(ours, cell, strict=True)]
    whole = is_whole(report, row.task)
    close = all(abs(one) <= published.tolerance(row) + 1e-9 for one in difference)
    return {
        "ours": ours,
        "difference": difference,
        "within": close if whole else None,
        "reason": None if whole else f"{report['images']} images, not the published list",
        "report": file,
    }


def before(row: Row, benchmark: str, path: Path) -> dict[str, Any] | None:
    """A cell from a report that an earlier run left, if there is one of this benchmark."""
    try:
        report = read_json(path)
        about = report["benchmark"], report["protocol"]
        if about != (benchmark, PROTOCOLS[row.task]):
            return None
        return scored(row, row.cells[benchmark], report, path.name)
    except (InputError, KeyError, TypeError):  # none, damaged, or of an older version
        return None


def unscored(reason: str) -> dict[str, Any]:
    """A cell that has no number of ours, and why."""
    return {"ours": None, "difference": None, "within": None, "reason": reason}


def is_whole(report: Mapping[str, Any], task: Task) -> bool:
    """Whether every image of the published list was judged and counts in the printed metrics."""
    data = report["data"]
    without = report.get("without_value", {})
    return (
        not report["failed"]
        and not any(without.get(name) for name in METRICS[task])
        and not data.get("missing")
        and "only_first" not in data
        and data.get("is_reference_list") is not False
    )


def _ours(task: Task, report: Mapping[str, Any]) -> list[float] | None:
    values = [(scale(name), report["metrics"].get(name)) for name in METRICS[task]]
    if any(value is None for _, value in values):
        return None
    return [factor * value for factor, value in values]
