"""monostep reproduce miniature: a whole study, from training to the report."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.reproduction.budget import Budget

STUDIES = ("miniature",)


def reproduce(
    study: Annotated[str, typer.Argument(help="What to reproduce: miniature.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="Folder of runs, results and cache; else runs/miniature, or -quick behind it.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.md",
            help="Report; outside OUT, all scores are copied into a folder FILE beside it.",
        ),
    ] = None,
    budget: Annotated[
        str,
        typer.Option(
            help="cpu: five hours of two cores. gpu: trains on a GPU, measures on the CPU; untried."
        ),
    ] = "cpu",
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Minutes: claims a, b and c on the embedded diffusion model."),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Trainings at once; else one per CPU core, or 1 on a GPU."),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(help="Run this seed alone; may be given again. Else all, one by one."),
    ] = None,
    report_only: Annotated[
        bool,
        typer.Option("--report-only", help="Run nothing; write the report of what is there."),
    ] = False,
) -> None:
    """Train and measure the paper in miniature; goes on where an earlier call was ended."""
    from monostep.device import cores
    from monostep.reproduction import plan
    from monostep.reproduction import report as reports
    from monostep.reproduction.run import run

    if study not in STUDIES:
        raise SettingError(f"reproduce {study}: there is: {', '.join(STUDIES)}")
    chosen = _budget(budget, quick=quick)
    at_once = jobs or (cores() if chosen.device == "cpu" else 1)
    folder = output or Path("runs") / ("miniature-quick" if quick else "miniature")
    page = report or folder / "miniature.md"
    begun = plan.check(folder, chosen)
    if report_only and not begun:
        raise SettingError(f"{folder} holds no study; leave --report-only out, or give its folder")
    try:
        if not report_only:
            say = partial(typer.echo, err=True)
            run(folder, chosen, at_once=at_once, say=say, seeds=_seeds(seed, chosen))
    finally:  # of what is there, also after an interrupt
        if plan.begun(folder) is not None:
            reports.write(folder, chosen, page)
    typer.echo(page)


def _seeds(asked: list[int] | None, budget: "Budget") -> list[int] | None:
    strange = sorted(set(asked or ()) - set(budget.seeds))
    if strange:
        known = ", ".join(map(str, budget.seeds))
        raise SettingError(f"--seed {strange[0]}: a study of budget {budget.name} has {known}")
    return sorted(set(asked)) if asked else None


def _budget(name: str, *, quick: bool) -> "Budget":
    from monostep.reproduction.budget import BUDGETS

    known = {each.name: each for each in BUDGETS.values() if each.name != "quick"}
    if name not in known:
        raise SettingError(f"--budget {name}: choose {', '.join(known)}")
    if quick and name != "cpu":
        raise SettingError(f"--quick with --budget {name}: it has a budget of its own; leave one")
    return BUDGETS["quick"] if quick else known[name]
