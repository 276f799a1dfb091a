"""The commands that train and measure what stands in a table of the report."""

from collections.abc import Sequence
from pathlib import Path

from monostep.reproduction import study
from monostep.reproduction.budget import Budget
from monostep.reproduction.study import Run
from monostep.reproduction.trials import Trial

OUT = Path("OUT")


def commands(names: Sequence[str], budget: Budget) -> str:
    """A block of shell for trials named with {seed}, of the first seed, with what they need."""
    seed = budget.seeds[0]
    wanted = {name.format(seed=seed) for name in names}
    runs = study.runs(budget)
    found = [(run, each) for run in runs for each in study.trials(run) if each.name in wanted]
    trained = _with_needs({run.name for run, _ in found}, runs)
    lines = [
        " ".join(["monostep train", *run.arguments(OUT, budget)])
        for run in runs
        if run.name in trained and not run.embedded
    ]
    return "\n".join(["```", *lines, *(_evaluate(*each, budget) for each in found), "```"])


def _with_needs(names: set[str], runs: Sequence[Run]) -> set[str]:
    wanted = set(names)
    for run in reversed(runs):  # each stands behind those that it needs
        if run.name in wanted:
            wanted |= set(run.needs)
    return wanted


def _evaluate(run: Run, trial: Trial, budget: Budget) -> str:
    size = f"--images {budget.images} --height {budget.height} --width {budget.width}"
    task = f" --task {trial.kind}" if trial.joint else ""
    options = f" {trial.way.options}" if trial.way.options else ""
    model = run.embedded or study.model_folder(OUT, run.name)
    return (
        f"monostep evaluate procedural {size} --model {model}{task}{options} "
        f"-o {OUT / 'evaluated' / trial.name}"
    )
