"""The report of a study, of whatever it has measured so far: Markdown, and figures beside it."""

import shutil
import subprocess
from pathlib import Path

import torch

import monostep
from monostep.benchmark import machine
from monostep.errors import MissingExtraError
from monostep.files.atomic import replacing
from monostep.reproduction import claims, figures, margins, times, verdict
from monostep.reproduction.budget import Budget
from monostep.reproduction.claims import Outcome
from monostep.reproduction.collected import Collected
from monostep.reproduction.commands import commands
from monostep.reproduction.tables import MISSING, markdown, tables, written

FINDINGS = "miniature-findings.md"  # beside the report, by hand
SHEET = "generation.png"


def write(folder: Path, budget: Budget, path: Path) -> None:
    """Write the report of a study.

    Args:
        folder: of the study, with as many results as there are.
        budget: of the study.
        path: of the Markdown file; figures go into a folder named after it.
    """
    collected = Collected(folder, budget.seeds)
    parts = [
        "# The paper in miniature",
        *_begin(folder, budget, path),
        "## Claims",
        _verdicts(collected),
    ]
    parts += ["Margins: " + origin() + ".", *_findings(path)]
    parts += _tables(collected, budget)
    parts += ["## Images out of noise", _generation(collected)]
    parts += ["## Memory of the backward pass", _memory(collected), "## Figures"]
    parts += _figures(collected, budget, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n")


def origin() -> str:
    """The commit that last changed the margins, or the version of the package without one."""
    file = Path(margins.__file__)
    command = ["git", "log", "-1", "--format=%h of %cs", "--", file.name]
    if shutil.which("git"):
        found = subprocess.run(command, cwd=file.parent, capture_output=True, text=True)
        if found.returncode == 0 and found.stdout.strip():
            return f"commit {found.stdout.strip()}"
    return f"monostep {monostep.__version__}"


def _begin(folder: Path, budget: Budget, path: Path) -> list[str]:
    """What was run, for how long, and where."""
    taken, calls = times.load(folder), times.pieces(folder)
    where = machine.describe(torch.device("cpu"), None)
    again = f"    monostep reproduce miniature --budget {budget.name} -o OUT --report {path.name}"
    if budget.name == "quick":
        again = f"    monostep reproduce miniature --quick -o OUT --report {path.name}"
    whole = f"{sum(piece['seconds'] for piece in calls) / 3600:.2f} hours of wall time"
    return [
        "monostep's own small Stable Diffusion, trained on procedural scenes and put through the "
        f"paper's study. Budget `{budget.name}`: seeds {', '.join(map(str, budget.seeds))}; "
        f"{budget.images} held-out scenes of {budget.height}x{budget.width} pixels.",
        f"{len(taken)} jobs took {sum(taken.values()) / 3600:.2f} hours together, in {len(calls)} "
        f"calls of {whole}. Report written on {where['cpu']}, {where['cores']} cores, "
        f"torch {where['torch']}.",
        "This command made all of it, and makes it again; where it is interrupted, it goes on:",
        again,
        "Commands that repeat a single table stand below it.",
    ]


def _verdicts(collected: Collected) -> str:
    heading = ["claim", "statement", "stratum", "seeds", "ratio", "95 % interval", "margin"]
    return markdown([*heading, "verdict"], map(_verdict, claims.outcomes(collected)))


def _verdict(one: Outcome) -> list[str]:
    ratio = one.ratio
    value = "-" if ratio is None else f"{ratio.value:.3f}"
    known = ratio is not None and ratio.low is not None
    interval = f"{ratio.low:.3f} to {ratio.high:.3f}" if ratio and known else "-"
    cells = [one.claim.letter, one.claim.statement, one.stratum, str(one.seeds), value, interval]
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
    for table in tables(budget.scenes):
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
    rows = [[each, f"{collected.errors(name, each, 'all', seeds).mean():.4f}"] for each in columns]
    return markdown(["spacing_steps", "energy distance"], rows)


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
        drawn = figures.draw(collected, target, seed=budget.seeds[0])
    except MissingExtraError as error:
        return [f"None: {error}."]
    sheet = collected.folder / SHEET
    if sheet.is_file():
        target.mkdir(parents=True, exist_ok=True)
        drawn.append(Path(shutil.copy(sheet, target / SHEET)))
    return [f"![{each.stem}]({target.name}/{each.name})" for each in drawn] or [MISSING]
