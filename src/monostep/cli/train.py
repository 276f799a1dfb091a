"""monostep train RECIPE -o RUN."""

import inspect
import os
from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[
        str, typer.Argument(help="Name of a recipe; `monostep train list` prints them.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="RUN", help="Folder of the run.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting. May be repeated."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="16GB, 24GB, 48GB or 80GB of GPU: as many images a step, in other portions."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in the folder, to the same bits.")
    ] = False,
    show: Annotated[
        bool,
        typer.Option("--show", help="Print the recipe's text and all settings; train nothing."),
    ] = False,
) -> None:
    """Train a model from a recipe. `monostep train list` prints the recipes.

    Under torchrun every process takes its share of each step.
    """
    from monostep import recipes
    from monostep.recipes.presets import preset as portions
    from monostep.training.overriding import override

    if recipe == "list":
        for name, make in recipes.RECIPES.items():
            typer.echo(f"{name:24} {(make.__doc__ or '').splitlines()[0]}")
        return
    config = recipes.recipe(recipe)
    config = override(config if preset is None else portions(config, preset), settings or [])
    if show:
        typer.echo(inspect.getdoc(recipes.RECIPES[recipe]))
        for name, value in config.as_dict().items():
            typer.echo(f"{name} = {value}")
        return
    if output is None:
        raise typer.BadParameter("-o RUN is missing: the folder that the run is written to")
    from monostep.training.start import train as start

    progress = start(config, output, resume=resume)
    if os.environ.get("RANK", "0") == "0":
        typer.echo(f"{output}: {progress.step} steps, best validation {progress.best}")
