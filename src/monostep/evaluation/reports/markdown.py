"""A report as a page for people, with the paper's figures beside it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monostep.evaluation.papers import published
from monostep.evaluation.papers.published_row import METRICS
from monostep.evaluation.reports.caveats import caveats
from monostep.evaluation.reports.units import label, printed

MOST_FAILED = 20  # images that are named; the rest is counted


def document(values: Mapping[str, Any]) -> str:
    """All of a report as Markdown."""
    parts = [f"# {values['benchmark']}, protocol {values['protocol']}", _what(values)]
    if values["metrics"]:
        parts += [table(*_scores(values))]
    if "per_image" in values and values["per_image"]["metrics"]:
        parts += ["## Means over images", table(*_scores(values["per_image"]))]
    if len(values["strata"]) > 1:
        parts += ["## Parts", table(*_parts(values))]
    if values["metrics"] and (rows := _beside(values)):
        notes = [f"- {line}" for line in caveats(values)]
        parts += ["## Beside the published figures", table(_heading(values), rows)]
        parts += ["\n".join(remarks)] if (remarks := _remarks(values)) else []
        parts += [f"Figures: {published.PAPER}.", *(["\n".join(notes)] if notes else [])]
    if values["failed"]:
        parts += ["## Not judged", _failed(values)]
    return "\n\n".join(parts) + "\n"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def aligned(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The same as plain text in columns, for a screen."""
    lines = [list(heading), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = []
    for first, *others in lines:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        shown.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(shown)


def contender(values: Mapping[str, Any]) -> str:
    """Who was judged: a model, or somebody's predictions."""
    return str(values.get("model") or values.get("predictions") or "-")


def _what(values: Mapping[str, Any]) -> str:
    weights = values.get("weights_sha256")
    who = f"{contender(values)}{f' (weights {weights[:12]})' if weights else ''}"
    over = "over all pixels" if "per_image" in values else "means over images"
    counts = [f"{values['images']} images judged", f"{len(values['failed'])} not"]
    counts += [f"{values['empty']} of them without a valid pixel"] if values["empty"] else []
    counts += [f"{values['missing']} missing from the data"] if values["missing"] else []
    interval = values["settings"]["bootstrap"]
    return (
        f"{who}{_told(values['settings'])}: {', '.join(counts)}; {over}, with "
        f"{interval['level']:.0%} intervals of {interval['resamples']} bootstrap resamples of "
        "images."
    )


def _told(settings: Mapping[str, Any]) -> str:
    """What a joint model is told besides the image."""
    if "attention" not in settings:
        return ""
    return f", {settings['attention']} attention, domain {settings['inference']['domain']}"


def _scores(group: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: every metric of the model with its interval, and of the baselines."""
    rivals = group["baselines"]
    left_out = group["without_value"]
    heading = ["metric", "value", "95 % interval", *rivals]
    heading += ["images without it"] if left_out else []
    rows = []
    for name, value in group["metrics"].items():
        ends = group["confidence"].get(name)
        shown = "-" if ends is None else " to ".join(printed(name, end) for end in ends)
        row = [label(name), printed(name, value), shown]
        row += [printed(name, means.get(name)) for means in rivals.values()]
        row += [str(left_out.get(name, 0))] if left_out else []
        rows.append(row)
    return heading, rows


def _parts(values: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    first, second = METRICS[values["task"]]
    rows = [
        [name, str(group["images"]), *(printed(m, group["metrics"][m]) for m in (first, second))]
        for name, group in values["strata"].items()
    ]
    return ["part", "images", label(first), label(second)], rows


def _heading(values: Mapping[str, Any]) -> list[str]:
    return ["method", *(label(name) for name in METRICS[values["task"]]), "training images"]


def _beside(values: Mapping[str, Any]) -> list[list[str]]:
    """Ours first, then each published row; none if nobody published this benchmark's protocol."""
    found = published.beside(values["benchmark"], values["protocol"])
    if not found:
        return []
    own = [printed(name, values["metrics"][name], "{:.2f}") for name in METRICS[values["task"]]]
    rows = [[f"**{contender(values)}**", *own, "-"]]
    notes = _notes(values)
    for row, cell in found:
        mark = f" [{notes.index(row.note) + 1}]" if row.note else ""
        name = f"{published.label(row)}{mark}"
        rows.append([name, *(f"{one:.1f}" for one in cell), row.samples or "-"])
    return rows


def _notes(values: Mapping[str, Any]) -> list[str]:
    """What has to be known of published rows, each once."""
    found = published.beside(values["benchmark"], values["protocol"])
    return list(dict.fromkeys(row.note for row, _ in found if row.note))


def _remarks(values: Mapping[str, Any]) -> list[str]:
    return [f"- [{number}] {note}" for number, note in enumerate(_notes(values), 1)]


def _failed(values: Mapping[str, Any]) -> str:
    failed = values["failed"]
    lines = [f"- {one['image']}: {one['reason']}" for one in failed[:MOST_FAILED]]
    if len(failed) > MOST_FAILED:
        lines.append(f"- and {len(failed) - MOST_FAILED} more, in the .json")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
