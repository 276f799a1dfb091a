"""What `monostep evaluate` shows: reports on stdout, all else on stderr."""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from monostep.evaluation.reports import compare, report
from monostep.evaluation.run import Screen
from monostep.evaluation.scores import MODEL, PRIMARY, Line

_NOTHING = "-"  # where a metric has no value
_WIDTH = 120  # of tables that do not go to a terminal


class Terminal(Screen):
    """Messages on stderr, and a bar with the mean so far if stderr is a terminal."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[means]}"),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not sys.stderr.isatty(),
        )
        self._task = None
        self._sums: dict[tuple[str, str], tuple[float, int]] = {}

    def __enter__(self) -> "Terminal":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, title: str, images: int) -> None:
        """A bar of its own for each benchmark."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._sums.clear()
        self._task = self._bar.add_task(title, total=images, means="")

    def heard(self, name: str, line: Line) -> None:
        """Move on, with every contender's mean of its main metric."""
        for metric in PRIMARY.values():
            value = line.scores.get(MODEL, {}).get(metric, math.nan)
            if math.isfinite(value):
                total, count = self._sums.get((name, metric), (0.0, 0))
                self._sums[name, metric] = total + value, count + 1
        means = ", ".join(
            f"{name} {metric} {total / count:.4g}"
            for (name, metric), (total, count) in self._sums.items()
        )
        if self._task is not None:
            self._bar.update(self._task, advance=1, means=means)

    def say(self, line: str) -> None:
        """A line on stderr, above the bar if there is one."""
        if self._bar.disable:
            typer.echo(f"monostep: {line}", err=True)
        else:
            self._bar.console.print(Text(f"monostep: {line}"), soft_wrap=True)


def show(values: dict[str, Any], *, as_json: bool) -> None:
    """A report as a table or as a line of JSON, and each image that could not be judged."""
    if as_json:
        typer.echo(json.dumps(values, sort_keys=True))
    else:
        _console().print(_table(values))
    name = values.get("model") or values["predictions"]
    for failure in values["failed"]:
        typer.echo(f"{name}: {failure['image']}: {failure['reason']}", err=True)
    if values["failed"]:
        judged = values["images"] + len(values["failed"])
        typer.echo(
            f"monostep: {values['benchmark']}, {name}: {len(values['failed'])} of {judged} images "
            "are not in the means",
            err=True,
        )


def show_comparison(files: tuple[Path, Path], *, as_json: bool) -> None:
    """Two reports, image by image."""
    values = compare.compare(*files)
    typer.echo(json.dumps(values, sort_keys=True) if as_json else compare.text(values))


def _table(values: dict[str, Any]) -> Table:
    rows = report.table_rows(values)
    heading, *rows = _without_empty(rows) if values["metrics"] else rows
    ratios = values.get("ratio_to_best_baseline", {})
    known = [f"{name} {ratios[name]:.3g}" for name in heading[2:] if ratios.get(name) is not None]
    table = Table(
        *heading,
        title=f"{values['benchmark']} ({values['protocol']})",
        caption=f"model / best baseline: {', '.join(known)}" if known else None,
        box=box.SIMPLE,
    )
    for row in rows:
        table.add_row(*row)
    return table


def _without_empty(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The rows without the metrics that have no value anywhere, as edges of depth without scale."""
    columns = [one for one in zip(*rows, strict=True) if set(one[1:]) != {_NOTHING}]
    return list(zip(*columns, strict=True))


def _console() -> Console:
    return Console(width=None if Console().is_terminal else _WIDTH)
