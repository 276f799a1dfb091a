"""The runner as tests call it: a few small pictures below the current folder, results in out/."""

from pathlib import Path

import numpy as np
from PIL import Image

from monostep.runner import inputs, run
from monostep.runner.run import Outcome, Summary
from monostep.runner.settings import Settings


def picture(path: str, size: tuple[int, int] = (24, 16), seed: int = 0) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return Path(path)


def go(models, *named: str, **settings) -> tuple[list[Outcome], Summary]:
    output = Path(settings.pop("output", "out"))
    found = inputs.find(named or ["photos"], output=output)
    outcomes: list[Outcome] = []
    summary = run.run(found.jobs, models, Settings(output=output, **settings), outcomes.append)
    return outcomes, summary


def statuses(models, *named: str, **settings) -> list[str]:
    return [outcome.status for outcome in go(models, *named, **settings)[0]]


def files(folder: str = "out") -> set[str]:
    return {p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if p.is_file()}
