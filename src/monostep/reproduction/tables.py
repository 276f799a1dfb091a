"""Tables of the report: what stands in which, and how a row is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monostep.recipes import recipe
from monostep.reproduction import study
from monostep.reproduction.budget import Budget
from monostep.reproduction.collected import STRATA, Collected
from monostep.reproduction.study import E2E_DEPTH, QUANTITIES, of_scenes
from monostep.reproduction.timing import ROUNDS
from monostep.reproduction.trials import STEPS, Kind

MISSING = "not run"
E2E = recipe(E2E_DEPTH)
SEEN = E2E.steps * E2E.phases[0][3]  # images of a run
TIMES = (
    f"Milliseconds: from the image to its map, in float32 on one thread, median of {ROUNDS} rounds "
    "in turns; what differs in weights or spacing alone was timed once."
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is compared, and the name of its trials with {seed} in it."""

    label: str
    trial: str
    kind: Kind = "depth"

    @property
    def timed(self) -> str:
        """The trial of equal cost in timing.json: networks are the same, and so are spacings."""
        model, _, way = self.trial.replace("-{seed}", "").partition(".")
        if model == "lcm":
            return f"{model}.{way}"
        if way == "once":
            return f"e2e-{self.kind}.once"
        spacing = "trailing" if way.endswith("-1") else "leading"
        return f"{self.kind}.{spacing}-{way.partition('-')[2]}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A comparison of the report."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""
    timed: bool = False


def tables(budget: Budget) -> list[Table]:
    """What a study compares, in the order of the report."""
    measured = study.results(budget)
    found = []
    for table in _tables(budget.scenes):
        rows = tuple(row for row in table.rows if row.trial in measured)
        found += [replace(table, rows=rows)] if rows else []
    return found


def _tables(scenes: Sequence[int]) -> list[Table]:
    """All comparisons that there may be."""
    return [
        Table(title="Table 1: depth", rows=_main("depth"), note=TIMES, timed=True),
        Table(title="Table 2: normals", rows=_main("normals"), note=TIMES, timed=True),
        Table(
            title="Table 4: noises of E2E",
            rows=(*_noises("depth"), *_noises("normals")),
            note="Each model runs with the noise that it was trained with.",
        ),
        Table(title="Table A-2: decoder", rows=_decoder()),
        Table(title="Parameterisations", rows=_quantities()),
        Table(title="Loss on the latent", rows=_latent()),
        Table(title="Both maps by one model", rows=_joint()),
        Table(
            title="Training scenes",
            rows=_scenes(scenes),
            note=f"Every run sees {SEEN:,} images: of more scenes than that it sees a part, once.",
        ),
        *(_steps(kind) for kind in ("depth", "normals")),
    ]


def markdown(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def written(collected: Collected, table: Table) -> str:
    """A comparison with a column for each stratum, and one of times where there are any."""
    heading = ["", *STRATA, "seeds", *(["ms per image"] if table.timed else [])]
    return markdown(heading, (_cells(collected, row, timed=table.timed) for row in table.rows))


def _cells(collected: Collected, row: Row, *, timed: bool) -> list[str]:
    seeds = collected.found(row.trial)
    there = collected.strata(row.trial) if seeds else ()
    cells = [_cell(collected, row, each) if each in there else "-" for each in STRATA]
    if not seeds:
        cells[0] = MISSING
    taken = collected.json("timing.json").get("seconds", {}).get(row.timed) if timed else None
    time = [f"{1000 * taken:.1f}" if taken is not None else "-"] if timed else []
    return [row.label, *cells, str(len(seeds)), *time]


def _cell(collected: Collected, row: Row, stratum: str) -> str:
    """Error / accuracy: mean over seeds, and their standard deviation where there are several."""
    seeds = collected.found(row.trial)
    error, accuracy = (
        collected.errors(row.trial, column, stratum, seeds).mean(axis=1)
        for column in ("error", "accuracy")
    )
    digits = 4 if row.kind == "depth" else 2
    return f"{_spread(error, digits)} / {_spread(100 * accuracy, 1)}"


def _spread(values: np.ndarray, digits: int) -> str:
    mean = f"{values.mean():.{digits}f}"
    return f"{mean} ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else mean


def _main(kind: Kind) -> tuple[Row, ...]:
    """The rows of the paper's own tables; normals have no LCM."""
    sampled, once = f"{kind}-{{seed}}.", "-{seed}.once"
    lcm = [("LCM, 4 steps", "lcm-{seed}.lcm-4"), ("LCM, 1 step", "lcm-{seed}.lcm-1")]
    found = [
        ("leading, 50 steps x 10", f"{sampled}leading-50x10"),
        ("trailing, 50 steps x 10", f"{sampled}trailing-50x10"),
        ("leading, 50 steps", f"{sampled}leading-50"),
        ("trailing, 50 steps", f"{sampled}trailing-50"),
        *(lcm if kind == "depth" else []),
        ("1 step, trailing (fixed)", f"{sampled}trailing-1"),
        ("1 step, leading", f"{sampled}leading-1"),
        ("E2E from the diffusion model", f"e2e-{kind}{once}"),
        ("E2E from the base model", f"e2e-{kind}-base{once}"),
        ("E2E from random weights", f"e2e-{kind}-random{once}"),
    ]
    return tuple(Row(label=label, trial=trial, kind=kind) for label, trial in found)


def _steps(kind: Kind) -> Table:
    rows = tuple(
        Row(label=f"{spacing}, {count}", trial=f"{kind}-{{seed}}.{spacing}-{count}", kind=kind)
        for spacing in ("trailing", "leading")
        for count in STEPS
    )
    return Table(title=f"Steps and spacing: {kind}", rows=rows)


def _noises(kind: Kind) -> tuple[Row, ...]:
    names = {"zeros": "", "gaussian": "-gaussian", "pyramid": "-pyramid"}
    return tuple(
        Row(label=f"{kind}, {noise}", trial=f"e2e-{kind}{suffix}-{{seed}}.once", kind=kind)
        for noise, suffix in names.items()
    )


def _decoder() -> tuple[Row, ...]:
    return (
        Row(label="frozen", trial="e2e-depth-{seed}.once"),
        Row(label="trained", trial="e2e-depth-decoder-{seed}.once"),
    )


def _quantities() -> tuple[Row, ...]:
    others = (Row(label=each, trial=f"e2e-depth-{each}-{{seed}}.once") for each in QUANTITIES)
    return (Row(label="depth", trial="e2e-depth-base-{seed}.once"), *others)


def _latent() -> tuple[Row, ...]:
    return (
        Row(label="decoded map", trial="e2e-depth-{seed}.once"),
        Row(label="latent", trial="latent-depth-{seed}.once"),
    )


def _joint() -> tuple[Row, ...]:
    kinds: tuple[Kind, ...] = ("depth", "normals")
    return tuple(
        row
        for kind in kinds
        for row in (
            Row(label=f"{kind}, alone", trial=f"e2e-{kind}-random-{{seed}}.once", kind=kind),
            Row(label=f"{kind}, joint", trial=f"geometry-random-{{seed}}.{kind}.once", kind=kind),
        )
    )


def _scenes(scenes: Sequence[int]) -> tuple[Row, ...]:
    return tuple(
        Row(label=f"{count:,}", trial=f"{of_scenes(count)}-{{seed}}.once") for count in scenes
    )
