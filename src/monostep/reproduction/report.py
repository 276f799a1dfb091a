"""The report of a study, of whatever it has measured so far: Markdown, and figures beside it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monostep.errors import MissingExtraError
from monostep.files.atomic import replacing
from monostep.reproduction import claims, figures, plan, study, times, verdict
from monostep.reproduction.budget import Budget
from monostep.reproduction.claims import Outcome
from monostep.reproduction.collected import Collected
from monostep.reproduction.commands import commands
from monostep.reproduction.generation import HELD_OUT
from monostep.reproduction.tables import MISSING, markdown, tables, written
from monostep.reproduction.timing import WAYS

FINDINGS = "miniature-findings.md"  # beside the report, by hand
SHEET = "generation.png"
JOBS = (
    "path depth-0",
    "generate base-0",
    "deviation depth-0",
    "memory e2e-depth-0",
    f"timing {' '.join(f'{model}-0' for model in WAYS)}",
)


def write(folder: Path, budget: Budget, path: Path) -> None:
    """Write the report of a study.

    Args:
        folder: of the study, with as many results as there are.
        budget: of the study.
        path: of the Markdown file; figures go into a folder named after it, and where that is not
            in the study's own, all results too, from which a copy of that folder goes on.
    """
    collected = Collected(folder, budget.seeds)
    parts = [
        "# The paper in miniature",
        *_begin(folder, budget, path),
        *_so_far(collected, budget),
        "## Claims",
        _verdicts(collected, budget),
    ]
    parts += [_about_verdicts(folder), *_findings(path)]
    parts += _tables(collected, budget)
    if not budget.model:
        parts += ["## Images out of noise", _generation(collected)]
        parts += ["## Memory of the backward pass", _memory(collected)]
    parts += ["## Figures", *_figures(collected, budget, path)]
    path.parent.mkdir(parents=True, exist_ok=True)
    if folder.resolve() not in path.resolve().parents:
        _keep(folder, path.with_suffix(""))
    with replacing(path) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n")


def _keep(folder: Path, target: Path) -> None:
    """Copy what the study has measured, and what it is."""
    if target.resolve() != folder.resolve() and (folder / study.RESULTS).is_dir():
        shutil.copytree(folder / study.RESULTS, target / study.RESULTS, dirs_exist_ok=True)
        shutil.copy(folder / plan.FILE, target / plan.FILE)


def _about_verdicts(folder: Path) -> str:
    """Where the margins come from, and what the intervals are."""
    began = plan.begun(folder)
    said = f"Margins: {plan.origin()}"
    if began:
        said = f"Margins: {began['margins_of']}; the study began on {began['began']}"
    if began and began["margins"] != plan.limits():
        said += ", **when they were others**"
    return (
        f"{said}. All are this project's own choice, none is the paper's. h repeats "
        "a to g for normals. Confirmed: the whole interval is within the margin; not confirmed: "
        "the whole of it is beside. The interval is a percentile bootstrap over seeds and scenes; "
        "where seeds differ more than scenes it is about the range of the seeds, which is printed "
        "beside it. Every seed trains all models, from its own autoencoder on; the scenes to learn "
        "from are the same for all, so the interval does not say what others would change. "
        "E2E from the diffusion model has had more steps in all than that model itself, as in the "
        "paper."
    )


def _begin(folder: Path, budget: Budget, path: Path) -> list[str]:
    """What was run, for how long, and where."""
    taken, calls = times.load(folder), times.pieces(folder)
    machines = {_machine(call["where"]) for call in calls if "where" in call}
    whole = f"{sum(piece['seconds'] for piece in calls) / 3600:.2f} hours of wall time"
    about = (
        "monostep's own small Stable Diffusion, trained on procedural scenes and put through the "
        "paper's study."
    )
    jobs = JOBS
    if budget.model:
        jobs = ("path depth-0",)
        about = (
            f"The timestep bug and its cure on one small diffusion model of depth, {budget.model}, "
            "which comes with the package: a check in minutes of claims a, b and c."
        )
    return [
        f"{about} Budget `{budget.name}`: seeds {', '.join(map(str, budget.seeds))}; "
        f"{budget.images} held-out scenes of {budget.height}x{budget.width} pixels.",
        f"{len(taken)} jobs took {sum(taken.values()) / 3600:.2f} hours together, in {len(calls)} "
        f"calls of {whole}; every training on one CPU thread, in bfloat16 products."
        + "".join(f" Machine: {each}." for each in sorted(machines)),
        "This command made all of it, and makes it again; where it is interrupted, it goes on:",
        f"    {_command(budget)} -o OUT --report {path.name}",
        "Commands that repeat a single table stand below it, those of the first seed; for the "
        "others put theirs in its place. `OMP_NUM_THREADS=1` gives the same bits on an equal CPU. "
        "What is no trial comes from `python -m monostep.reproduction.work OUT "
        f"{budget.name} JOB RUN`: {', '.join(f'`{job}`' for job in jobs)}.",
        *_beside(folder, budget, path),
    ]


def _so_far(collected: Collected, budget: Budget) -> list[str]:
    """What a study that is not at its end has to say of itself."""
    tables = study.results(budget)
    whole = [seed for seed in budget.seeds if all(seed in collected.found(name) for name in tables)]
    if len(whole) == len(budget.seeds):
        return []
    return [
        f"**Not at its end**: whole are the seeds {', '.join(map(str, whole)) or '(none)'}. With "
        f"fewer than {min(claims.SEEDS, len(budget.seeds))} a comparison is inconclusive, whatever "
        "its interval."
    ]


def _beside(folder: Path, budget: Budget, path: Path) -> list[str]:
    """What can be done with the results that are kept beside the report."""
    if folder.resolve() in path.resolve().parents:
        return []
    kept, again = path.stem, _command(budget)
    return [
        f"All scores, scene by scene, lie in `{kept}/{study.RESULTS}`. The first line writes this "
        "page from them, the others go on with what is not among them, here of one seed:",
        f"    {again} --report-only -o {kept} --report {path.name}\n"
        f"    cp -r {kept} OUT\n"
        f"    {again} --seed {budget.seeds[-1]} -o OUT --report {path.name}",
    ]


def _command(budget: Budget) -> str:
    asked = "--quick" if budget.name == "quick" else f"--budget {budget.name}"
    return f"monostep reproduce miniature {asked}"


def _machine(where: Mapping[str, Any]) -> str:
    return f"{where['cpu']}, {where['cores']} cores, torch {where['torch']}"


def _verdicts(collected: Collected, budget: Budget) -> str:
    heading = ["claim", "statement", "stratum", "against", "ratio", "95 % interval", "each seed"]
    return markdown(
        [*heading, "margin", "verdict"], map(_verdict, claims.outcomes(collected, budget))
    )


def _verdict(one: Outcome) -> list[str]:
    ratio = one.ratio
    value = "-" if ratio is None else f"{ratio.value:.3f}"
    known = ratio is not None and ratio.low is not None
    interval = f"{ratio.low:.3f} to {ratio.high:.3f}" if ratio and known else "-"
    against = one.under.replace("-{seed}", "") or "-"
    each = ", ".join(f"{ratio:.3f}" for ratio in one.each) or "-"
    cells = [one.claim.letter, one.claim.statement, one.stratum, against, value, interval, each]
    return [*cells, verdict.words(one.margin), f"**{one.verdict}**"]


def _findings(path: Path) -> list[str]:
    file = path.with_name(FINDINGS)
    return ["## Findings", file.read_text().strip()] if file.is_file() else []


def _tables(collected: Collected, budget: Budget) -> list[str]:
    parts = [
        "## Tables",
        "AbsRel / delta1 in percent, or mean angle in degrees / percent below "
        "11.25 degrees; mean over seeds ± standard deviation over them. Commands are those of the "
        "first seed.",
    ]
    for table in tables(budget):
        names = [row.trial for row in table.rows]
        note = [table.note] if table.note else []
        parts += [f"### {table.title}", *note, written(collected, table), commands(names, budget)]
    return parts


def _generation(collected: Collected) -> str:
    """Energy distance to held-out images, mean over seeds."""
    name = "base-{seed}.generation"
    seeds = collected.found(name)
    if not seeds:
        return MISSING
    columns = collected.scores(name, seeds[0]).columns
    means = {each: collected.errors(name, each, "all", seeds).mean() for each in columns}
    among = means.pop(HELD_OUT)
    rows = [[each, f"{mean - among:.4f}"] for each, mean in means.items()]
    table = markdown(["spacing_steps", "energy distance"], rows)
    return f"Held-out images are {among:.4f} apart.\n\n{table}"


def _memory(collected: Collected) -> str:
    kept = collected.json("memory.json")
    if not kept:
        return MISSING
    rows = [
        [size, calls, f"{count / 2**20:.1f}"]
        for size, of in kept.items()
        for calls, count in of.items()
    ]
    return markdown(["model", "calls", "MiB"], rows)


def _figures(collected: Collected, budget: Budget, path: Path) -> list[str]:
    target = path.with_suffix("")
    try:
        drawn = figures.draw(collected, target, seed=budget.seeds[0], scenes=budget.scenes)
    except MissingExtraError as error:
        return [f"None: {error}."]
    sheet = collected.folder / SHEET
    if sheet.is_file():
        target.mkdir(parents=True, exist_ok=True)
        drawn.append(Path(shutil.copy(sheet, target / SHEET)))
    return [f"![{each.stem}]({target.name}/{each.name})" for each in drawn] or [MISSING]
