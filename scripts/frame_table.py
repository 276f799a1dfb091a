"""AbsRel of every frame in several reports, and the geometric mean of its ratio to a baseline.

    monostep evaluate FRAMES.jsonl --model nano-depth --predictions FastDepth=DIR -o OUT
    python scripts/frame_table.py OUT/*.csv

prints a Markdown table. The baseline is the depth that is best for each row of pixels ("row").
"""

import csv
import math
import sys
from collections.abc import Iterable
from pathlib import Path

BASELINE = "row"


def read(path: Path) -> dict[str, dict[str, float]]:
    """AbsRel by frame, of what was judged and of the baseline."""
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["problem"]]
    return {
        row["image"]: {
            path.stem: float(row["abs_rel"]),
            BASELINE: float(row[f"{BASELINE}.abs_rel"]),
        }
        for row in rows
    }


def table(paths: list[Path]) -> list[str]:
    """A line a frame, then means, then geometric means of ratios."""
    reports = [read(path) for path in paths]
    frames = [frame for frame in reports[0] if all(frame in report for report in reports)]
    errors = {frame: reports[0][frame] | _merged(reports, frame) for frame in frames}
    names = [BASELINE, *(path.stem for path in paths)]
    lines = [f"| frame | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for frame, of in errors.items():
        lines.append(_line(Path(frame).stem, [of[name] for name in names]))
    means = [sum(of[name] for of in errors.values()) / len(errors) for name in names]
    logs = [
        sum(math.log(of[name] / of[BASELINE]) for of in errors.values()) / len(errors)
        for name in names
    ]
    lines.append(_line("mean", means))
    return [*lines, _line(f"geometric mean of the ratio to {BASELINE}", map(math.exp, logs))]


def _merged(reports: list[dict[str, dict[str, float]]], frame: str) -> dict[str, float]:
    return {name: value for report in reports for name, value in report[frame].items()}


def _line(label: str, values: Iterable[float]) -> str:
    return f"| {label} | {' | '.join(f'{value:.4f}' for value in values)} |"


print("\n".join(table([Path(argument) for argument in sys.argv[1:]])))  # noqa: T201
