"""What a run says: JSON lines for programs, a progress bar or plain lines for people."""

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monostep.files.atomic import write_bytes
from monostep.training import trackers
from monostep.training.config import TrainConfig


class Journal:
    """Appends to a log file, tells trackers and shows progress on stderr; or is silent."""

    def __init__(
        self, path: Path, config: TrainConfig, *, start: int, silent: bool = False
    ) -> None:
        self.path = path
        self.silent = silent
        self.images = 0
        self.began = time.monotonic()
        self.console = Console(stderr=True, quiet=silent)
        self.trackers = [] if silent else trackers.start(config, path.parent, step=start)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=self.console,
            disable=silent or not sys.stderr.isatty(),
        )
        self.task = self.bar.add_task("training", total=config.last, completed=start, note="")
        if not silent:
            self._forget_after(start)

    def __enter__(self) -> "Journal":
        """Start the bar."""
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the bar and the trackers."""
        self.bar.stop()
        for tracker in self.trackers:
            tracker.close()

    def advance(self, *, images: int) -> None:
        """Count one optimiser step over so many images."""
        self.images += images
        self.bar.advance(self.task)

    @property
    def images_per_second(self) -> float:
        """Mean speed since this process began."""
        return self.images / max(time.monotonic() - self.began, 1e-9)

    def say(self, line: str) -> None:
        """Show a line."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def record(self, *, step: int, **values: Any) -> None:
        """Append one line, tell the trackers its numbers, and show it."""
        if self.silent:
            return
        with self.path.open("a", encoding="utf-8") as file:
            # JSON knows neither nan nor inf: those become text.
            plain = {name: _plain(value) for name, value in values.items()}
            file.write(json.dumps({"step": step, **plain}) + "\n")
        numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
        for tracker in self.trackers:
            tracker.record(step, numbers)
        text = f"step {step}  " + "  ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in values.items()
        )
        self.bar.update(self.task, note=text)
        if self.bar.disable or "validation" in values or "skipped" in values:
            self.say(text)

    def picture(self, path: Path, *, step: int) -> None:
        """Tell the trackers about a picture that was written."""
        for tracker in self.trackers:
            tracker.picture(step, path)

    def _forget_after(self, step: int) -> None:
        """Drop what a killed run logged after the state it left, so that no step stands twice."""
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines()
        # A line cut off by the kill is no JSON; it is later than the state, so it goes too.
        kept = [line for line in lines if _step(line) <= step]
        write_bytes(self.path, "".join(line + "\n" for line in kept).encode())


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _step(line: str) -> float:
    try:
        return json.loads(line).get("step", 0)
    except ValueError:
        return float("inf")
