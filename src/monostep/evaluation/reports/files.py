"""A report that was written before: its CSV, and its JSON beside it."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monostep.errors import InputError
from monostep.evaluation.scores import PRIMARY
from monostep.files.atomic import read_json

_FIXED = ("image", "stratum", "problem", "pixels")
_NEEDED = ("benchmark", "protocol", "task", "data", "settings", "confidence", "metrics")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A report and the contender's scores of every image that was judged."""

    path: Path
    values: Mapping[str, Any]
    metrics: Sequence[str]
    lines: Mapping[str, Mapping[str, float]]  # by image, then metric; nan where it has no value


def read(path: Path) -> Stored:
    """A report by its CSV.

    Raises:
        InputError: the CSV or the JSON beside it is missing, damaged, or no report's.
    """
    names, rows = _table(path)
    values = read_json(path.with_suffix(".json"))
    if lacking := [name for name in _NEEDED if name not in values]:
        raise InputError(
            f"{path.with_suffix('.json')}: no {lacking[0]!r}, so it is no report of this version; "
            "run the evaluation again"
        )
    metrics = [name for name in names[len(_FIXED) :] if name in _known(values)]
    primary = PRIMARY.get(values["task"])
    if values["metrics"] and primary not in metrics:
        raise InputError(
            f"{path}: no scores of {primary} as the .json beside it has; run the evaluation again"
        )
    return Stored(path=path, values=values, metrics=metrics, lines=_lines(path, rows, metrics))


def _table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Names of the columns, and a row for each image."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            names, rows = list(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV ({error}); name a report's .csv") from error
    if tuple(names[: len(_FIXED)]) != _FIXED:
        raise InputError(
            f"{path}: begins with columns {', '.join(names[:4]) or 'none'}; expected "
            f"{', '.join(_FIXED)} as `monostep evaluate` writes them"
        )
    return names, rows


def _known(values: Mapping[str, Any]) -> set[str]:
    """Metrics of the contender; other columns are the baselines'."""
    return {*values["metrics"], *values.get("per_image", {}).get("metrics", {})}


def _lines(
    path: Path, rows: Sequence[Mapping[str, str]], metrics: Sequence[str]
) -> dict[str, dict[str, float]]:
    lines = {}
    for number, row in enumerate(rows, 2):
        if row["problem"]:
            continue
        try:
            lines[row["image"]] = {name: float(row[name]) for name in metrics}
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{path}, line {number}: not a score ({error}); write the file again"
            ) from error
    return lines
