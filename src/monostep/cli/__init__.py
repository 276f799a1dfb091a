"""The command line: one verb, one file. Nothing here imports torch before a verb runs."""

import os
import signal
import sys
import warnings
from types import FrameType
from typing import Annotated

import typer

from monostep._version import __version__
from monostep.cli import (
    benchmark,
    data,
    doctor,
    evaluate,
    export,
    fold,
    inspect,
    models,
    predict,
    reproduce,
    train,
    verify,
)
from monostep.cli.exit_codes import FAILED, INTERRUPTED, TERMINATED, USAGE
from monostep.errors import MonostepError, MonostepWarning, SettingError

app = typer.Typer(
    name="monostep",
    help="Depth and surface normals of a single image, in one deterministic step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("predict")(predict.predict)
app.command("infer", hidden=True)(predict.predict)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("eval", hidden=True)(evaluate.evaluate)
app.add_typer(data.app, name="data")
app.command("models")(models.models)
app.command("doctor")(doctor.doctor)
app.command("inspect")(inspect.inspect)
app.command("verify")(verify.verify)
app.command("fold")(fold.fold)
app.command("export")(export.export)
app.command("benchmark")(benchmark.benchmark)
app.command("reproduce")(reproduce.reproduce)


def _version(asked: bool) -> bool:
    if asked:
        typer.echo(f"monostep {__version__}")
        raise typer.Exit
    return asked


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; a user's mistake ends in one line, never in a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    if hangup is not None and signal.getsignal(hangup) is signal.SIG_DFL:  # nohup ignores it
        signal.signal(hangup, _terminate)
    warnings.showwarning = _warn
    try:
        app(standalone_mode=True)
    except MonostepError as error:
        if os.environ.get("MONOSTEP_DEBUG"):
            raise
        typer.echo(f"monostep: {error}", err=True)
        sys.exit(USAGE if isinstance(error, SettingError) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _warn(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """Our own warnings as a line; others' are for developers, who can ask Python for them."""
    if issubclass(category, MonostepWarning):
        typer.echo(f"monostep: warning: {message}", err=True)


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    sys.exit(TERMINATED)
