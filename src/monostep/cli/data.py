"""monostep data ...: make, prepare, label and check data."""

from pathlib import Path
from typing import Annotated

import typer

from monostep.cli.data_check import check
from monostep.cli.data_identify import identify_frame
from monostep.cli.data_label import label
from monostep.cli.data_prepare import prepare

app = typer.Typer(
    help="Make, prepare, label and check data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


app.command("prepare")(prepare)
app.command("check")(check)
app.command("label")(label)
app.command("identify-frame")(identify_frame)


@app.callback()
def _group() -> None:
    pass


@app.command("synthesize")
def synthesize(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    count: Annotated[int, typer.Option("--count", min=1, help="Number of scenes.")] = 16,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the scenes.")] = 1,
    first: Annotated[int, typer.Option("--first", min=0, help="Index of the first scene.")] = 0,
    height: Annotated[int, typer.Option("--height", min=1, help="Pixels.")] = 192,
    width: Annotated[int, typer.Option("--width", min=1, help="Pixels.")] = 256,
) -> None:
    """Render procedural scenes: image, depth in metres, normals, mask and camera of each."""
    from monostep.data.synthesize import synthesize as write

    written = write(output, seed=seed, indices=range(first, first + count), size=(height, width))
    typer.echo(f"{output}: {written} scenes written, {count - written} were there already")
