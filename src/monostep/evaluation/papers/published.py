"""What the paper says, looked up: by table, and by benchmark for the reports."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from monostep.errors import SettingError
from monostep.evaluation.papers import published_supplement, published_tables
from monostep.evaluation.papers.published_row import PROTOCOLS, Cell, Row

PAPER = "Garcia et al., WACV 2025, arXiv 2409.11355"
JUDGED_ALIKE = {"dsine-2024": "e2e-ft-2024"}  # as the published figures, but shown other colours

ROUNDING = 0.05  # figures are printed with one decimal
OURS = {"zeros": 0.05, "drawn": 0.25, "other": 0.25}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the paper; rows by the short names that `--predictions ROW=DIR` takes."""

    title: str
    rows: Mapping[str, Row]


TABLES = {
    "1": Table(title="depth, main results", rows=published_tables.TABLE_1),
    "2": Table(title="normals, main results", rows=published_tables.TABLE_2),
    "3": Table(title="normals, GeoWizard", rows=published_tables.TABLE_3),
    "4": Table(title="depth, noise during fine-tuning", rows=published_tables.TABLE_4),
    "5": Table(title="depth, state of the art", rows=published_tables.TABLE_5),
    "6": Table(title="normals, state of the art", rows=published_tables.TABLE_6),
    "A-2": Table(title="depth, decoder fine-tuned or not", rows=published_supplement.TABLE_A2),
    "A-3": Table(title="depth, GeoWizard", rows=published_supplement.TABLE_A3),
    "A-4": Table(title="depth, DepthFM", rows=published_supplement.TABLE_A4),
}


def table(number: str) -> Table:
    """A table by its number, "1" to "6" and "A-2" to "A-4"; SettingError for any other."""
    if number not in TABLES:
        raise SettingError(f"table {number!r}: the paper's tables are {', '.join(TABLES)}")
    return TABLES[number]


def beside(benchmark: str, protocol: str) -> list[tuple[Row, Cell]]:
    """Each published row of a benchmark that was judged by this protocol, once, in table order."""
    judged = JUDGED_ALIKE.get(protocol, protocol)
    found: dict[Hashable, tuple[Row, Cell]] = {}
    for one in TABLES.values():
        for row in one.rows.values():
            if benchmark in row.cells and PROTOCOLS[row.task] == judged:
                same = row.run if row.run and row.run.checkpoint else row.method
                found.setdefault(same, (row, row.cells[benchmark]))
    return list(found.values())


def label(row: Row) -> str:
    """The method, with its steps and ensemble where they are more than one."""
    run = row.run
    if run is None or (run.steps, run.ensemble) == (1, 1):
        return row.method
    return f"{row.method}, {run.steps} steps, ensemble {run.ensemble}"


def tolerance(row: Row) -> float:
    """How far from the printed figure a score may lie, in the paper's units.

    Half of the last printed digit, and an allowance that is ours, not the paper's and not measured:
    a little for other rounding where nothing is drawn, more where another noise is drawn or
    another program predicts.
    """
    if row.run is None:
        return ROUNDING + OURS["other"]
    return ROUNDING + OURS["zeros" if row.run.noise == "zeros" else "drawn"]
