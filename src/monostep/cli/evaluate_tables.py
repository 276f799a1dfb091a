"""monostep evaluate paper-table-1 and so on: the paper's tables beside what is measured here."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from monostep.cli.evaluate_plan import Plan
from monostep.errors import SettingError
from monostep.evaluation.papers import page as paper_page
from monostep.evaluation.papers import published
from monostep.evaluation.papers import tables as papers
from monostep.evaluation.papers.tables import Reproduction
from monostep.evaluation.run import Screen


def split(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The numbers of tables among the benchmarks, and the other names.

    Raises:
        SettingError: a table that does not exist, or tables beside other benchmarks.
    """
    numbers = [papers.number_of(name) for name in names]
    tables = [number for number in numbers if number is not None]
    others = [name for name, number in zip(names, numbers, strict=True) if number is None]
    if tables and others:
        raise SettingError(
            f"paper-table-{tables[0]} chooses its benchmarks itself: leave {', '.join(others)} out"
        )
    return tables, others


def told(
    tables: Sequence[str], plan: Plan, weights: Path | None, *, download: bool
) -> Reproduction:
    """What the tables may be told, of all that was asked.

    Raises:
        SettingError: what a table's rows settle themselves, or predictions of no named row.
        InputError: a folder that is not there.
    """
    settled = [
        name for name, value in plan.sampling.items() if value is not None and name != "seed"
    ]
    settled += [
        name for name, value in (("model", plan.models), ("protocol", plan.protocols)) if value
    ]
    if settled:
        raise SettingError(
            f"--{settled[0]}: the rows of the paper's tables settle it; leave it out"
        )
    predictions = {}
    for words in plan.predictions:
        row, equals, folder = words.partition("=")
        if not equals:
            raise SettingError(f"--predictions {words}: say which row they are, as ROW={words}")
        predictions[row] = Path(folder)
    found = Reproduction(
        how=plan.how,
        asked=plan.asked,
        loading=plan.loading,
        weights=weights,
        download=download,
        predictions=predictions,
        declared=plan.declared,
        seed=plan.sampling["seed"],
        batch_size=plan.batch_size,
    )
    papers.check(tables, found)
    return found


def show(number: str, told: Reproduction, screen: Screen, *, as_json: bool) -> int:
    """Run what can be run of a table and print it, and on stderr what is missing and what failed.

    The number of images and rows that failed is returned.
    """
    rows = published.table(number).rows
    own = {key: folder for key, folder in told.predictions.items() if key in rows}
    values = papers.reproduce(number, replace(told, predictions=own), screen)
    typer.echo(json.dumps(values, sort_keys=True) if as_json else paper_page.text(values))
    for line in (*values["missing"], *values["failed"]):
        typer.echo(f"monostep: {line}", err=True)
    return len(values["failed"])
