"""monostep predict INPUT... -o DIR."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from monostep.cli.exit_codes import FAILED, SOME_FAILED
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.predictor import Predictor
    from monostep.runner.inputs import Found
    from monostep.runner.run import Outcome
    from monostep.runner.settings import Settings


def predict(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="INPUT...", help="Images, folders or patterns.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder to write to.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME", help="Model; one for each task."),
    ] = None,
    task: Annotated[str | None, typer.Option(help="Only depth, or only normals.")] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Of npy, npz, png, exr, tiff; png adds previews.")
    ] = "npy,png",
    frame: Annotated[
        str, typer.Option(help="Axes of normals: opencv, opengl, directx, dsine.")
    ] = "opencv",
    resolution: Annotated[
        int | None,
        typer.Option(
            "--resolution",
            "--processing-res",
            min=0,
            help="Long side in pixels at which the model looks; 0: the image's own.",
        ),
    ] = None,
    fit: Annotated[str, typer.Option(help="How an image gets the network's size: pad.")] = "pad",
    steps: Annotated[
        int | None, typer.Option("--steps", "--denoise-steps", min=1, help="Denoising steps.")
    ] = None,
    ensemble: Annotated[
        int | None, typer.Option("--ensemble", "--ensemble-size", min=1, help="Runs to merge.")
    ] = None,
    spacing: Annotated[str | None, typer.Option(help="Spacing of timesteps.")] = None,
    noise: Annotated[str | None, typer.Option(help="What the latent starts from.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the noise; one step from zeros has none.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    fp16: Annotated[bool, typer.Option("--fp16", help="The same as --dtype fp16.")] = False,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=0, help="Images at once; 0: by the device.")
    ] = 0,
    list_file: Annotated[
        str | None, typer.Option("--list-file", metavar="F|-", help="More inputs, one a line.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Redo what is complete already.")
    ] = False,
    no_recursive: Annotated[
        bool, typer.Option("--no-recursive", help="Leave the folders in folders out.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each input on stdout.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say only what failed.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")] = False,
) -> None:
    """Predict depth and surface normals of images; a second run skips what is complete."""
    from monostep.geometry import frames
    from monostep.runner import inputs as search
    from monostep.runner import models, settings
    from monostep.runner.run import check_folder

    if output is None:
        raise SettingError("-o DIR is missing: the folder that the results are written to")
    chosen = settings.Settings(
        output=output,
        endings=settings.endings(formats),
        frame=frames.check(frame),
        resolution=resolution,
        batch_size=batch_size,
        overwrite=overwrite,
    )
    named = [*(inputs or []), *(search.read_list(list_file) if list_file else [])]
    found = search.find(named, output=output, recursive=not no_recursive)
    if not found.jobs:
        reasons = [absent.reason for absent in found.absent]
        raise SettingError(
            "\nmonostep: ".join(reasons) or "no input: name an image, folder or pattern"
        )
    asked = dict(fit=fit, steps=steps, ensemble=ensemble, spacing=spacing, noise=noise)
    kind = _dtype(dtype, fp16=fp16)
    predictors = models.load(model or [], task=task, device=device, dtype=kind, asked=asked)
    check_folder(output)
    count = len(found.jobs) + len(found.absent)
    with _Screen(total=count, as_json=as_json, quiet=quiet, verbose=verbose) as screen:
        if not model:
            screen.say(_self_test(predictors))
        if seed is not None:
            screen.detail(f"seed {seed}: without effect, these models draw no noise")
        code = _run(found, predictors, chosen, screen)
    screen.finish()
    raise typer.Exit(code)


def _run(
    found: "Found", predictors: "dict[str, Predictor]", chosen: "Settings", screen: "_Screen"
) -> int:
    """The exit code of a run over all that was found, reported on the screen."""
    from monostep.runner import outputs
    from monostep.runner.run import Outcome, run

    for task, made_by in outputs.plan(predictors, chosen).made_by.items():
        words = ", ".join(f"{name} {value}" for name, value in made_by.items())
        screen.detail(f"{task} on {predictors[task].device}: {words}")
    for absent in found.absent:
        screen.report(Outcome(input=absent.named, status="failed", error=absent.reason))
    summary = run(found.jobs, predictors, chosen, screen.report)
    if summary.failed + len(found.absent) == 0:
        return 0
    return SOME_FAILED if summary.written + summary.skipped else FAILED


def _dtype(name: str, *, fp16: bool) -> str:
    if fp16 and name not in ("auto", "fp16"):
        raise SettingError(f"--fp16 and --dtype {name} contradict each other; give one of them")
    return "fp16" if fp16 else name


def _self_test(predictors: "dict[str, Predictor]") -> str:
    """One line about the models that run when none is named, with their measured errors."""
    words = [f"{each.card.name} ({_scores(each.card.scores)})" for each in predictors.values()]
    return (
        f"monostep: running small self-test models: {', '.join(words)}; published checkpoints are "
        "not supported by this version, but --model FOLDER takes a model trained with "
        "`monostep train`"
    )


def _scores(scores: Any) -> str:
    test = {key: value for key, value in scores.get("test", {}).items() if key != "images"}
    words = [f"{key} {value:.3g}" for key, value in test.items() if isinstance(value, int | float)]
    return f"test {', '.join(words)}" if words else "not measured"


class _Screen:
    """Results on stdout; messages, failures and a bar (on a terminal only) on stderr."""

    def __init__(self, *, total: int, as_json: bool, quiet: bool, verbose: bool) -> None:
        self._as_json, self._quiet, self._verbose = as_json, quiet, verbose
        self._rows: list[tuple[str, str, str, str]] = []
        self._bar = Progress(
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("predict", total=total)

    def __enter__(self) -> "_Screen":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """A message, unless -q."""
        if not self._quiet:
            self._error_line(line)

    def detail(self, line: str) -> None:
        """A message for -v."""
        if self._verbose:
            self.say(line)

    def report(self, outcome: "Outcome") -> None:
        """One input's end: failures at once, the rest for the table or as a line of JSON."""
        self._bar.advance(self._task)
        if outcome.error is not None:
            self._error_line(f"monostep: {outcome.error}")
        if outcome.changes:
            self.detail(f"{outcome.input}: {'; '.join(outcome.changes)}")
        if self._as_json:
            typer.echo(_json(outcome))
        elif not self._quiet:
            self._rows.append(_row(outcome))

    def finish(self) -> None:
        """The table: drawn on a terminal, else columns with tabs between."""
        if not self._rows:
            return
        heads = ("file", "size", "ms", "written")
        if not sys.stdout.isatty():
            for row in (heads, *self._rows):
                typer.echo("\t".join(row))
            return
        table = Table()
        for head in heads:
            table.add_column(head, justify="right" if head in ("size", "ms") else "left")
        for row in self._rows:
            table.add_row(*(Text(cell, overflow="fold") for cell in row))
        Console().print(table)

    def _error_line(self, line: str) -> None:
        if self._bar.disable:
            typer.echo(_printable(line), err=True)
        else:
            self._bar.console.print(Text(_printable(line)), soft_wrap=True)


def _json(outcome: "Outcome") -> str:
    from monostep.files.metadata import to_json

    return to_json(
        {
            "input": outcome.input,
            "status": outcome.status,
            "outputs": outcome.outputs,
            "size": outcome.size,
            "milliseconds": outcome.milliseconds,
            "error": outcome.error,
        }
    )


def _row(outcome: "Outcome") -> tuple[str, str, str, str]:
    ends = {
        "written": f"{len(outcome.outputs)} files",
        "skipped": "skipped (complete)",
        "failed": f"failed: {(outcome.error or '').removeprefix(f'{outcome.input}: ')}",
    }
    size = "" if outcome.size is None else "x".join(map(str, outcome.size))
    time = "" if outcome.milliseconds is None else f"{outcome.milliseconds:.0f}"
    return _printable(outcome.input), size, time, _printable(ends[outcome.status])


def _printable(text: str) -> str:
    """A line as any terminal can show it: file names may hold line ends and broken bytes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
