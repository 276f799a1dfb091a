"""monostep train RECIPE -o RUN."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; see `monostep train list`.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder of the run.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting: key=value. May be repeated."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in the folder.")
    ] = False,
) -> None:
    """Train a model from a recipe. `monostep train list` prints the recipes."""
    from monostep import recipes
    from monostep.training.overriding import override
    from monostep.training.start import train as start

    if recipe == "list":
        for name, make in recipes.RECIPES.items():
            typer.echo(f"{name:20} {(make.__doc__ or '').splitlines()[0]}")
        return
    if output is None:
        raise typer.BadParameter("-o RUN is missing: the folder that the run is written to")
    progress = start(override(recipes.recipe(recipe), settings or []), output, resume=resume)
    typer.echo(f"{output}: {progress.step} steps, best validation {progress.best}")
