"""What a study has to do, as jobs that each leave a file behind: the mark that they are done."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from monostep.reproduction import study
from monostep.reproduction.budget import Budget
from monostep.reproduction.study import RESULTS, Run
from monostep.reproduction.timing import WAYS

FINISHED = "finished.json"  # in a run's folder
# Words of `monostep.reproduction.work`, which does what is no training.
SCORE, PATH, GENERATE = "score", "path", "generate"
DEVIATION, MEMORY, TIMING = "deviation", "memory", "timing"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One process: a training, or one piece of measuring."""

    name: str
    words: tuple[str, ...]  # behind `python -m monostep`, or behind the module `work`
    done: tuple[Path, ...]  # files that are there when it is done
    needs: tuple[str, ...] = ()  # names of jobs
    trains: bool = False
    alone: bool = False  # measures time, so that nothing else may run

    @property
    def is_done(self) -> bool:
        """Whether it need not be run again."""
        return all(path.is_file() for path in self.done)


def jobs(folder: Path, budget: Budget, seeds: Collection[int] | None = None) -> list[Job]:
    """Jobs of some seeds, or of all, every one behind those that it needs."""
    found: list[Job] = []
    for seed in budget.seeds if seeds is None else seeds:
        for run in study.runs(budget):
            if run.seed == seed:
                found += [] if run.embedded else [_training(run, folder, budget)]
                found += _measuring(run, folder)
        if seed == budget.seeds[0] and not budget.model:
            found += _of_first(folder, budget)
    return found


def missing(jobs: Sequence[Job]) -> list[Job]:
    """What is not done, but for trainings from which nothing more is wanted.

    So a folder of results without models, as a report has it beside it, is gone on from.
    """
    found: list[Job] = []
    for job in reversed(jobs):  # each stands behind those that it needs
        wanted = not job.trains or any(job.name in each.needs for each in found)
        if wanted and not job.is_done:
            found.append(job)
    return found[::-1]


def result(folder: Path, name: str) -> Path:
    """A file of results."""
    return folder / RESULTS / name


def _training(run: Run, folder: Path, budget: Budget) -> Job:
    return Job(
        name=run.name,
        words=("train", *run.arguments(folder, budget)),
        done=(study.run_folder(folder, run.name) / FINISHED,),
        needs=run.needs,
        trains=True,
    )


def _measuring(run: Run, folder: Path) -> list[Job]:
    def job(word: str, *names: str) -> Job:
        files = tuple(result(folder, name) for name in names)
        words = (word, run.name)
        needs = () if run.embedded else (run.name,)
        return Job(name=f"{word} {run.name}", words=words, done=files, needs=needs)

    found = []
    scored = study.trials(run)
    if scored:
        found.append(job(SCORE, *(f"{trial.name}.csv" for trial in scored)))
    if study.is_diffusion(run):
        found.append(job(PATH, f"{run.name}.path.csv"))
    if study.is_base(run):
        found.append(job(GENERATE, f"{run.name}.generation.csv"))
    return found


def _of_first(folder: Path, budget: Budget) -> list[Job]:
    """What is looked at once, on the first seed's models."""
    timed = [f"{model}-{budget.seeds[0]}" for model in WAYS]
    depth, e2e = (f"{model}-{budget.seeds[0]}" for model in ("depth", "e2e-depth"))

    def job(word: str, name: str, *needs: str, alone: bool = False) -> Job:
        file = result(folder, name)
        return Job(name=word, words=(word, *needs), done=(file,), needs=needs, alone=alone)

    return [
        job(MEMORY, "memory.json", e2e),
        job(DEVIATION, f"{depth}.deviation.npz", depth),
        job(TIMING, "timing.json", *timed, alone=True),
    ]
