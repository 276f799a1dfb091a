"""A table of the paper with our numbers in it, as a page and as a text for the screen."""

from collections.abc import Mapping, Sequence
from typing import Any

from monostep.evaluation.papers.published_row import TITLES
from monostep.evaluation.reports import markdown
from monostep.evaluation.reports.units import label

_VERDICTS = {True: "yes", False: "no", None: "?"}
_CELLS = ("method", "benchmark", "paper", "ours", "difference", "tolerance", "within", "remark")


def document(values: Mapping[str, Any]) -> str:
    """All of it as Markdown: our numbers cell by cell, the whole table, and what is missing."""
    parts = [
        f"# Table {values['table']}: {values['title']}",
        f"{values['paper']}. {_legend(values)}",
    ]
    parts += [markdown.table(*_overview(values))]
    if cells := _cells(values):
        parts += ["## Ours", markdown.table(_CELLS, cells)]
    heading, rows = _rows(values)
    notes = [row["note"] or "" for row in values["rows"]]
    rows = [[*row, note] for row, note in zip(rows, notes, strict=True)]
    parts += ["## Rows", markdown.table([*heading, "note"], rows)]
    if values["missing"]:
        parts += ["## Missing", "\n".join(f"- {line}" for line in values["missing"])]
    if values["failed"]:
        parts += ["## Failed", _failed(values["failed"])]
    return "\n\n".join(parts) + "\n"


def text(values: Mapping[str, Any]) -> str:
    """The table and what was scored, for the screen; `missing` goes elsewhere, line by line."""
    parts = [f"Table {values['table']}: {values['title']}. {_legend(values)}"]
    parts += [markdown.aligned(*_overview(values)), markdown.aligned(*_rows(values))]
    if cells := _cells(values):
        parts += [markdown.aligned(_CELLS, cells)]
    return "\n\n".join(parts)


def _failed(lines: Sequence[str]) -> str:
    shown = [f"- {line}" for line in lines[: markdown.MOST_FAILED]]
    if len(lines) > len(shown):
        shown.append(f"- and {len(lines) - len(shown)} more, in the .json")
    return "\n".join(shown)


def _legend(values: Mapping[str, Any]) -> str:
    first, second = values["rows"][0]["metrics"]
    return f"Cells: {label(first)} / {label(second)}; the paper's, then ours in brackets."


def _overview(values: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The table as it is printed, each cell with ours if there is one."""
    names = list(dict.fromkeys(name for row in values["rows"] for name in row["benchmarks"]))
    rows = [
        [row["method"], *(_cell(row["benchmarks"].get(name)) for name in names), row["how"]]
        for row in values["rows"]
    ]
    return ["method", *(TITLES[name] for name in names), "can be scored"], rows


def _cell(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return "-"
    printed = _pair(cell["published"], "{:.1f}")
    ours = cell.get("ours")
    return printed if ours is None else f"{printed} [{_pair(ours, '{:.2f}')}]"


def _cells(values: Mapping[str, Any]) -> list[list[str]]:
    """One line for each cell that has a number of ours."""
    return [
        [
            *(row["method"], TITLES[name], _pair(cell["published"], "{:.1f}")),
            *(_pair(cell["ours"], "{:.2f}"), _pair(cell["difference"], "{:+.2f}")),
            *(f"{row['tolerance']:g}", _VERDICTS[cell["within"]], cell["reason"] or ""),
        ]
        for row in values["rows"]
        for name, cell in row["benchmarks"].items()
        if cell.get("ours") is not None
    ]


def _rows(values: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """How each row is run; its short name is what `--predictions` takes."""
    names = ["checkpoint", "steps", "ensemble", "noise", "spacing"]
    if any((row["run"] or {}).get("attention") for row in values["rows"]):
        names.append("attention")
    rows = []
    for row in values["rows"]:
        run = row["run"] or {}
        how = [str(run.get(name) or "-") for name in names]
        rows.append([row["row"], *how, f"{row['tolerance']:g}"])
    return ["row", *names, "tolerance"], rows


def _pair(cell: Sequence[float], form: str) -> str:
    return " / ".join(form.format(one) for one in cell)
