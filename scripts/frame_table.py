"""The error of every frame in several reports, and the geometric mean of its ratio to a baseline.

    monostep evaluate FRAMES.jsonl --model nano-depth --predictions FastDepth=DIR -o OUT
    python -m scripts.frame_table OUT/*.csv

prints a Markdown table: AbsRel beside the depth that is best for each row of pixels ("row"), or the
mean angle beside normals that look straight at the camera ("facing").
"""

import csv
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from monostep.files.atomic import read_json

BASELINES = {"abs_rel": "row", "mean_angle_deg": "facing"}


def table(paths: Sequence[Path]) -> tuple[list[str], dict[str, float]]:
    """Lines of the table, and the geometric mean of what each report is about."""
    reports = [_read(path) for path in paths]
    frames = [frame for frame in reports[0] if all(frame in report for report in reports)]
    errors = {
        frame: {name: error for report in reports for name, error in report[frame].items()}
        for frame in frames
    }
    baseline, *judged = names = list(errors[frames[0]])
    lines = [f"| frame | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for frame, of in errors.items():
        lines.append(_line(Path(frame).stem, [of[name] for name in names]))
    means = [sum(of[name] for of in errors.values()) / len(errors) for name in names]
    ratios = {
        name: math.exp(
            sum(math.log(of[name] / of[baseline]) for of in errors.values()) / len(errors)
        )
        for name in judged
    }
    label = f"geometric mean of the ratio to {baseline}"
    return [*lines, _line("mean", means), _line(label, [1, *ratios.values()])], ratios


def _read(path: Path) -> dict[str, dict[str, float]]:
    """The error by frame, of the baseline and of what was judged."""
    report = read_json(path.with_suffix(".json"))
    name = report.get("model") or report["predictions"]
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["problem"]]
    metric = next(each for each in BASELINES if each in rows[0])
    baseline = BASELINES[metric]
    return {
        row["image"]: {baseline: float(row[f"{baseline}.{metric}"]), name: float(row[metric])}
        for row in rows
    }


def _line(label: str, values: Iterable[float]) -> str:
    return f"| {label} | {' | '.join(f'{value:.3f}' for value in values)} |"


if __name__ == "__main__":
    print("\n".join(table([Path(argument) for argument in sys.argv[1:]])[0]))  # noqa: T201
