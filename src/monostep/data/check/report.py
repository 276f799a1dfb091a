"""What was found, as JSON for programs and as Markdown for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monostep.data.check.findings import KINDS, Finding
from monostep.data.check.summary import Summary
from monostep.data.check.survey import Survey
from monostep.files.atomic import write_bytes, write_json

VERSION = 1
JSON, MARKDOWN = "report.json", "report.md"
MEANINGS = {
    "unreadable": "a file is missing, damaged or not what is declared",
    "size": "a map has another size than its picture",
    "constant": "a map or a picture with nothing in it",
    "unit": "depths are too large or too small to be in the declared unit",
    "disparity": "inverse depth where depth is declared, or the reverse",
    "invalid": "a placeholder for no depth counts as valid",
    "sky": "sky counts as a surface",
    "registration": "depth does not lie on its picture",
    "normals": "normals are in another frame than declared",
    "duplicate": "one picture several times in a split",
    "leakage": "one picture on both sides of a split, or in two manifests",
}


def values(survey: Survey) -> dict[str, Any]:
    """Everything that was found, as plain values; equal for equal data."""
    return {
        "monostep_data_check": VERSION,
        "clean": survey.clean,
        "left_out": survey.left_out,
        "manifests": [each.values() for each in survey.summaries],
        "counts": {kind: sum(f.kind == kind for f in survey.findings) for kind in KINDS},
        "findings": [each.values() for each in survey.findings],
    }


def write(survey: Survey, folder: Path) -> None:
    """Write report.json and report.md (raises OutputError)."""
    write_json(folder / JSON, values(survey))
    write_bytes(folder / MARKDOWN, markdown(survey).encode())


def table(survey: Survey) -> list[str]:
    """A line for each severity and kind that was found, with its first message."""
    lines = []
    for findings in _grouped(survey.findings):
        first = findings[0]
        images = {image for each in findings for image in each.images}
        # The first message of several images names them itself.
        lead = f"{first.images[0]}: " if len(first.images) == 1 else ""
        lines.append(
            f"{first.severity:7}  {first.kind:12}  {len(images):6} images  {lead}{first.message}"
        )
    return lines


def limits(survey: Survey) -> list[str]:
    """What was not looked for, in a line; nothing when all images were looked at."""
    if not survey.left_out:
        return []
    count = len(survey.entries)
    return [
        f"{count} of {count + survey.left_out} images looked at, and only these for duplicates and "
        "leakage; leave the limit out to compare all"
    ]


def about(summary: Summary) -> str:
    """One manifest in a line."""
    unit = "" if summary.unit == "relative" else " m"
    low, high = summary.medians
    return (
        f"{summary.name}: {summary.read} of {summary.images} images read, {summary.with_depth} "
        f"with depth, {summary.with_normals} with normals; median depth {low:.3g} to {high:.3g}"
        f"{unit}; {summary.valid[0]:.0%} to {summary.valid[1]:.0%} of the pixels valid"
    )


def markdown(survey: Survey) -> str:
    """The report: the manifests, how often each defect was found, and every finding."""
    counts = values(survey)["counts"]
    lines = ["# Data check", "", *(f"- {about(each)}" for each in survey.summaries)]
    lines += [*(f"- {line}" for line in limits(survey)), ""]
    lines += ["| defect | found | what it is |", "|---|---:|---|"]
    lines += [f"| {kind} | {counts[kind] or '-'} | {MEANINGS[kind]} |" for kind in KINDS]
    for findings in _grouped(survey.findings):
        lines += ["", f"## {findings[0].kind}: {findings[0].severity}", ""]
        lines += [f"- {_named(each)}: {each.message}" for each in findings]
    return "\n".join(lines) + "\n"


def _named(finding: Finding) -> str:
    return ", ".join(f"`{image}`" for image in finding.images)


def _grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings of one severity and kind together; they come in order."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.severity, each.kind), []).append(each)
    return list(groups.values())
