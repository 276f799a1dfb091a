"""monostep export SOURCE -o FILE: one graph for other runtimes, image in and map out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monostep.cli import source
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.export.comparison import Outcome


def export(
    model: source.Model,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="To write: .onnx, .pt2 (torch.export) or .xml (OpenVINO); replaced if it exists.",
        ),
    ] = None,
    task: source.Task = None,
    network_frame: source.NetworkFrame = None,
    revision: source.Revision = None,
    variant: source.Variant = None,
    offline: source.Offline = False,
    prompt_tokens: source.PromptTokens = None,
    attention: source.Attention = None,
    unet: source.Unet = None,
    resolution: source.Resolution = None,
    steps: source.Steps = None,
    noise: source.Noise = None,
    domain: source.Domain = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say only what failed.")] = False,
) -> None:
    """Write a model as one graph, uint8 images to float32 maps, and compare it with monostep.

    Batch, height and width are free; resizing and all else are inside. A joint model's graph gives
    depth and normals of images of one --domain. The file is written if the
    largest difference on three pictures is at most 1e-3. The graph is float32: its runtime has the
    tools for less.
    """
    if output is None:
        raise SettingError("-o FILE is missing: the file to write, such as model.onnx")
    from monostep.checkpoints import asking, opening
    from monostep.export import formats, run
    from monostep.loading import open_checkpoint

    formats.by_ending(output)  # mistakes show before weights are read
    checkpoint = opening.find(
        model,
        task=task,
        frame=network_frame,
        revision=revision,
        variant=variant,
        offline=offline or None,
        prompt_tokens=prompt_tokens,
        attention=attention,
        unet=unet,
    )
    asking.check_whole(checkpoint.card, task)
    asked = dict(resolution=resolution, steps=steps, noise=noise, domain=domain)
    how = run.settings(checkpoint.card, **asked)
    predictor = open_checkpoint(checkpoint, device="cpu", dtype="fp32")
    for line in predictor.cautions(how):
        typer.echo(f"monostep: warning: {line}", err=True)
    outcomes = run.export(predictor, output, how, say=_silent if quiet else _say)
    if not quiet:
        _show(outcomes, output)


def _say(line: str) -> None:
    typer.echo(f"monostep: {line}", err=True)


def _silent(line: str) -> None:
    pass


def _show(outcomes: "list[Outcome]", output: Path) -> None:
    typer.echo("     size  map      difference  spread")
    for outcome in outcomes:
        size = "x".join(map(str, outcome.size))
        typer.echo(
            f"{size:>9}  {outcome.kind:7}  {outcome.difference:10.1e}  {outcome.spread:6.3f}"
        )
    typer.echo(f"written: {output} ({output.stat().st_size / 1e6:.1f} MB)")
