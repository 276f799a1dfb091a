"""What `monostep predict` shows: results on stdout, all else on stderr."""

import sys
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from monostep.runner.ledger import Outcome

_HEADS = ("file", "size", "ms", "written")


class Screen:
    """Results on stdout; messages, failures and a bar (on a terminal only) on stderr."""

    def __init__(self, *, total: int, as_json: bool, quiet: bool, verbose: bool) -> None:
        self._as_json, self._quiet, self._verbose = as_json, quiet, verbose
        self._rows: list[tuple[str, ...]] = []
        self._has_head = False
        self._bar = Progress(
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("predict", total=total)

    def __enter__(self) -> "Screen":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """A message, unless -q."""
        if not self._quiet:
            self._error_line(line)

    def warn(self, line: str) -> None:
        """A warning, also with -q."""
        self._error_line(f"monostep: warning: {line}")

    def detail(self, line: str) -> None:
        """A message for -v."""
        if self._verbose:
            self.say(line)

    def report(self, outcome: "Outcome") -> None:
        """One input's end: failures at once, the rest for the table or as a line of JSON."""
        self._bar.advance(self._task)
        if outcome.error is not None:
            self._error_line(f"monostep: {outcome.error}")
        if outcome.changes:
            self.detail(f"{outcome.input}: {'; '.join(outcome.changes)}")
        if self._as_json:
            typer.echo(_json(outcome))
        elif not self._quiet:
            self._row(_cells(outcome))

    def finish(self) -> None:
        """The table, on a terminal."""
        if not self._rows:
            return
        table = Table()
        for head in _HEADS:
            table.add_column(head, justify="right" if head in ("size", "ms") else "left")
        for row in self._rows:
            table.add_row(*(Text(cell, overflow="fold") for cell in row))
        Console().print(table)

    def _row(self, row: tuple[str, ...]) -> None:
        """On a terminal kept for the table, else shown at once with tabs between."""
        if sys.stdout.isatty():
            self._rows.append(row)
            return
        if not self._has_head:
            typer.echo("\t".join(_HEADS))
            self._has_head = True
        typer.echo("\t".join(row))

    def _error_line(self, line: str) -> None:
        if self._bar.disable:
            typer.echo(_printable(line), err=True)
        else:
            self._bar.console.print(Text(_printable(line)), soft_wrap=True)


def _json(outcome: "Outcome") -> str:
    from monostep.files.metadata import to_json

    return to_json(
        {
            "input": outcome.input,
            "status": outcome.status,
            "outputs": outcome.outputs,
            "size": outcome.size,
            "milliseconds": outcome.milliseconds,
            "error": outcome.error,
        }
    )


def _cells(outcome: "Outcome") -> tuple[str, str, str, str]:
    ends = {
        "written": f"{len(outcome.outputs)} files",
        "skipped": "skipped (complete)",
        "failed": f"failed: {(outcome.error or '').removeprefix(f'{outcome.input}: ')}",
    }
    size = "" if outcome.size is None else "x".join(map(str, outcome.size))
    time = "" if outcome.milliseconds is None else f"{outcome.milliseconds:.0f}"
    return _printable(outcome.input), size, time, _printable(ends[outcome.status])


def _printable(text: str) -> str:
    """A line as any terminal can show it: file names may hold line ends and broken bytes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
