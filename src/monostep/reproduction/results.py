"""Scores of trials as files: one line per held-out scene, kept and published with the report.

FOLDER/TRIAL.csv          scene, stratum, error, accuracy
FOLDER/RUN.path.csv       scene, stratum, step_1 ... step_50: the error of every step's estimate
FOLDER/NAME.json          anything else: times, bytes, distances
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from monostep.errors import InputError
from monostep.files.atomic import replacing

SCORED = ("error", "accuracy")  # AbsRel and delta1, or mean angle in degrees and share below 11.25


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Columns of numbers over the held-out scenes, in their order."""

    names: tuple[str, ...]
    strata: tuple[str, ...]  # of each scene: indoor, outdoor, object
    columns: Mapping[str, Float[np.ndarray, " scene"]]


def write(path: Path, scores: Scores) -> None:
    """Write a table, whole or not at all; six digits of each number."""
    rows = zip(scores.names, scores.strata, *scores.columns.values(), strict=True)
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["scene", "stratum", *scores.columns])
        for name, stratum, *values in rows:
            writer.writerow([name, stratum, *(f"{value:.6g}" for value in values)])


def read(path: Path) -> Scores:
    """Read a table back; InputError where it is not one."""
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    if header[:2] != ["scene", "stratum"] or any(len(row) != len(header) for row in rows):
        raise InputError(f"{path}: no table of scores; delete it, and it is measured again")
    values = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), -1)
    return Scores(
        names=tuple(row[0] for row in rows),
        strata=tuple(row[1] for row in rows),
        columns={name: values[:, k] for k, name in enumerate(header[2:])},
    )
