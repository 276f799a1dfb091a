"""monostep data check MANIFEST...: what is wrong with the data, before a run learns it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monostep.cli.exit_codes import FAILED

if TYPE_CHECKING:
    from monostep.data.check.survey import Survey


def check(
    manifests: Annotated[
        list[Path],
        typer.Argument(metavar="MANIFEST...", help=".jsonl, .csv or a folder; of one run."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the report and the contact sheet.")
    ],
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="OTHER", help="Whose pictures must not be there; may be repeated."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many images of each manifest, evenly spread.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report on stdout.")] = False,
) -> None:
    """Look for wrong units, disparity, sky, holes, shifts, duplicates, ...; exit 1 on errors."""
    from monostep.data import manifest
    from monostep.data.check import report, sheet
    from monostep.data.check.survey import survey

    found = survey(
        [manifest.read(path) for path in manifests],
        against=[manifest.read(path) for path in against or []],
        limit=limit,
        progress=_progress if sys.stderr.isatty() else None,
    )
    report.write(found, output)
    shown = sheet.write(found, output)
    if as_json:
        typer.echo(json.dumps(report.values(found), sort_keys=True))
    else:
        _show(found, output, shown)
    if not found.clean:
        raise typer.Exit(FAILED)


def _progress(done: int, total: int) -> None:
    typer.echo(f"\r{done} of {total} images", nl=done == total, err=True)


def _show(found: "Survey", output: Path, shown: int) -> None:
    from monostep.data.check import report, sheet

    for summary in found.summaries:
        typer.echo(report.about(summary))
    for line in [*report.limits(found), *report.table(found)]:
        typer.echo(line)
    if not found.findings:
        typer.echo("nothing found")
    typer.echo(
        f"{output / report.MARKDOWN}, {report.JSON}; {shown} images on {output / sheet.NAME}"
    )
