"""python -m monostep.reproduction.work OUT BUDGET JOB RUN...: one piece of measuring."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from monostep.files.atomic import replacing, write_json
from monostep.files.preview import write_png8
from monostep.reproduction import deviation, generation, memory, results, sampling, study, timing
from monostep.reproduction import jobs as plan
from monostep.reproduction.budget import BUDGETS, Budget
from monostep.reproduction.measure import measure, path
from monostep.reproduction.sampling import Subject
from monostep.reproduction.scenes import Scenes, held_out
from monostep.reproduction.study import Run

SCENES = "scenes.npz"
DRAWN = 4  # scenes whose deviations are drawn
SHEET = "generation.png"


def main(arguments: Sequence[str]) -> None:
    """Do one job and write its files, those that are there already excepted."""
    folder, name, word, *runs = arguments
    budget = next(each for each in BUDGETS.values() if each.name == name)
    chosen = {run.name: run for run in study.runs(budget)}
    WORK[word](Path(folder), budget, [chosen[run] for run in runs])


def _score(folder: Path, budget: Budget, runs: Sequence[Run]) -> None:
    (run,) = runs
    subject = _subject(folder, budget, run)
    for trial in study.trials(run):
        file = plan.result(folder, f"{trial.name}.csv")
        if not file.is_file():
            results.write(file, measure(subject, trial))


def _path(folder: Path, budget: Budget, runs: Sequence[Run]) -> None:
    (run,) = runs
    kind = study.trials(run)[0].kind
    scores = path(_subject(folder, budget, run), kind)
    results.write(plan.result(folder, f"{run.name}.path.csv"), scores)


def _generate(folder: Path, budget: Budget, runs: Sequence[Run]) -> None:
    (run,) = runs
    model = generation.opened(study.source(folder, run))
    size = (budget.height, budget.width)
    images = generation.generate(model, count=budget.images, size=size, seed=run.seed)
    pictures = [case.image for case in _scenes(folder, budget).cases if case.image is not None]
    if run.seed == budget.seeds[0]:
        write_png8(plan.result(folder, SHEET), generation.sheet(images))
    found = generation.distances(images, torch.stack(pictures))
    results.write(plan.result(folder, f"{run.name}.generation.csv"), found)


def _deviation(folder: Path, budget: Budget, runs: Sequence[Run]) -> None:
    (run,) = runs
    scenes = _scenes(folder, budget).first(DRAWN)
    maps = deviation.deviation(sampling.opened(study.source(folder, run), scenes))
    target = plan.result(folder, f"{run.name}.deviation.npz")
    with replacing(target) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **maps)


def _memory(folder: Path, budget: Budget, runs: Sequence[Run]) -> None:  # noqa: ARG001
    write_json(plan.result(folder, "memory.json"), memory.memory())


def _timing(folder: Path, budget: Budget, runs: Sequence[Run]) -> None:
    folders = {run.model: study.source(folder, run) for run in runs}
    image = _scenes(folder, budget).cases[0].image
    assert image is not None
    write_json(plan.result(folder, "timing.json"), timing.timing(folders, image))


def _subject(folder: Path, budget: Budget, run: Run) -> Subject:
    return sampling.opened(study.source(folder, run), _scenes(folder, budget))


def _scenes(folder: Path, budget: Budget) -> Scenes:
    return held_out(budget, folder / SCENES)


WORK: Mapping[str, Callable[[Path, Budget, Sequence[Run]], None]] = {
    plan.SCORE: _score,
    plan.PATH: _path,
    plan.GENERATE: _generate,
    plan.DEVIATION: _deviation,
    plan.MEMORY: _memory,
    plan.TIMING: _timing,
}

if __name__ == "__main__":
    main(sys.argv[1:])
