"""Seconds that each job of a study took, and when the study itself ran: it may be in pieces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monostep.files.atomic import read_json, write_json
from monostep.reproduction.study import RESULTS

FILE, PIECES = "times.json", "pieces.json"


def load(folder: Path) -> dict[str, float]:
    """Seconds by job."""
    path = folder / RESULTS / FILE
    return dict(read_json(path)) if path.is_file() else {}


def add(folder: Path, job: str, seconds: float) -> None:
    """Count a piece of a job."""
    times = load(folder)
    times[job] = round(times.get(job, 0.0) + seconds, 1)
    write_json(folder / RESULTS / FILE, times)


def pieces(folder: Path) -> list[dict[str, Any]]:
    """Calls of the command: when each began and where, its seconds, jobs at once, its end."""
    path = folder / RESULTS / PIECES
    return list(read_json(path)["pieces"]) if path.is_file() else []


def begin_piece(folder: Path, *, began: str, at_once: int, where: Mapping[str, Any]) -> None:
    """Note that the command begins to do something, and where; until it ends it counts as cut."""
    piece = {"began": began, "seconds": 0, "at_once": at_once, "ended": "cut", "where": where}
    write_json(folder / RESULTS / PIECES, {"pieces": [*pieces(folder), piece]})


def grow_piece(folder: Path, *, seconds: float, ended: str = "cut") -> None:
    """Note how long the last piece has lasted so far, and how it ended."""
    *before, last = pieces(folder)
    grown = {**last, "seconds": round(seconds), "ended": ended}
    write_json(folder / RESULTS / PIECES, {"pieces": [*before, grown]})
