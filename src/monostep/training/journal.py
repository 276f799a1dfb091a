"""What a run says: JSON lines for programs, a progress bar or plain lines for people."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Journal:
    """Appends to `log.jsonl` and shows progress on stderr."""

    def __init__(self, path: Path, *, total: int, start: int) -> None:
        self.path = path
        self._forget_after(start)
        self.images = 0
        self.began = time.monotonic()
        self.console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not sys.stderr.isatty(),
        )
        self.task = self.bar.add_task("training", total=total, completed=start, note="")

    def __enter__(self) -> "Journal":
        """Start the bar."""
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the bar."""
        self.bar.stop()

    def advance(self, *, images: int) -> None:
        """Count one optimiser step over so many images."""
        self.images += images
        self.bar.advance(self.task)

    @property
    def images_per_second(self) -> float:
        """Mean speed since this process began."""
        return self.images / max(time.monotonic() - self.began, 1e-9)

    def record(self, **values: Any) -> None:
        """Append one line, and show it."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")
        text = "  ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in values.items()
        )
        self.bar.update(self.task, note=text)
        if self.bar.disable or "validation" in values:
            self.console.print(text, highlight=False)

    def _forget_after(self, step: int) -> None:
        """Drop what a killed run logged after the state it left, so that no step stands twice."""
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines()
        # A line cut off by the kill is no JSON; it is later than the state, so it goes too.
        kept = [line for line in lines if _step(line) <= step]
        self.path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")


def _step(line: str) -> float:
    try:
        return json.loads(line).get("step", 0)
    except ValueError:
        return float("inf")
