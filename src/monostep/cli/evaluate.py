"""monostep evaluate BENCHMARK... --model NAME -o OUT."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monostep.cli.exit_codes import SOME_FAILED

if TYPE_CHECKING:
    from monostep.evaluation.protocol import Procedural
    from monostep.predictor import Predictor


def evaluate(
    benchmarks: Annotated[
        list[str], typer.Argument(metavar="BENCHMARK...", help="procedural, motorcycle")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the reports.")],
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="Embedded model or folder; may be repeated. [default: all]"),
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="Scenes of procedural.")] = 300,
    height: Annotated[int, typer.Option(min=1, help="Of a scene, in pixels.")] = 192,
    width: Annotated[int, typer.Option(min=1, help="Of a scene, in pixels.")] = 256,
    baseline_scenes: Annotated[
        int, typer.Option(min=1, help="Training scenes that the baselines are means of.")
    ] = 1000,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    dtype: Annotated[str, typer.Option(help="fp32 for scores to compare; bf16, fp16.")] = "fp32",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per report instead of tables.")
    ] = False,
) -> None:
    """Measure models against exact truth, beside baselines that look at no image."""
    from monostep.evaluation import run
    from monostep.evaluation.protocol import Procedural

    procedural = Procedural(
        images=images, height=height, width=width, baseline_scenes=baseline_scenes
    )
    # All of them first: a mistake shows before minutes of work.
    chosen = {name: run.predictors(name, models, device=device, dtype=dtype) for name in benchmarks}
    failed = 0
    for benchmark, predictors in chosen.items():
        for report in _run(benchmark, predictors, output, procedural):
            _show(report, as_json=as_json)
            for failure in report["failed"]:
                typer.echo(f"{report['model']}: {failure['image']}: {failure['reason']}", err=True)
            failed += len(report["failed"])
    if failed:
        raise typer.Exit(SOME_FAILED)


def _run(
    benchmark: str, predictors: list[Predictor], output: Path, procedural: Procedural
) -> list[dict[str, Any]]:
    """The reports, with a bar on stderr while images are judged, if that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from monostep.evaluation import run

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task(benchmark, total=run.count(benchmark, procedural))
        return run.run(
            benchmark,
            predictors,
            output,
            procedural=procedural,
            done=lambda images: progress.advance(bar, images),
        )


def _show(report: dict[str, Any], *, as_json: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from monostep.evaluation.report import table_rows

    if as_json:
        typer.echo(json.dumps(report, sort_keys=True))
        return
    console = Console(width=None if Console().is_terminal else 120)
    heading, *rows = table_rows(report)
    ratio = ", ".join(
        f"{name} {'-' if value is None else format(value, '.3g')}"
        for name, value in report.get("ratio_to_best_baseline", {}).items()
    )
    table = Table(
        *heading,
        title=f"{report['benchmark']} ({report['protocol']})",
        caption=f"model / best baseline: {ratio}",
        box=box.SIMPLE,
    )
    for row in rows:
        table.add_row(*row)
    console.print(table)
