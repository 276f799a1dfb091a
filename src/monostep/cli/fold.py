"""monostep fold SOURCE -o FILE.safetensors: everything that is constant into the weights."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monostep.cli import source
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.inspection.folding import Folding


UNITS = {"depth": "of depth in [0, 1]", "normals": "degrees"}


def fold(
    model: source.Model,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="NAME.safetensors.")
    ] = None,
    task: source.Task = None,
    network_frame: source.NetworkFrame = None,
    revision: source.Revision = None,
    variant: source.Variant = None,
    offline: source.Offline = False,
    prompt_tokens: source.PromptTokens = None,
    attention: source.Attention = None,
    unet: source.Unet = None,
    domain: source.Domain = None,
    steps: source.Steps = None,
    spacing: source.Spacing = None,
    noise: source.Noise = None,
    last: source.Last = None,
    dtype: Annotated[str, typer.Option(help="Of the weights: fp32, bf16, fp16, int8.")] = "fp32",
    codec: Annotated[
        str | None,
        typer.Option(metavar="tiny=FOLDER", help="A small autoencoder in place of the model's."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Fold a model into one file of plain weights, and prove that it says the same."""
    from monostep.checkpoints import asking, opening
    from monostep.checkpoints import codec as codecs
    from monostep.inspection import folding

    if output is None:
        raise SettingError("-o FILE.safetensors is missing: the file to write")
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
    done = folding.fold(
        checkpoint,
        output,
        dtype=dtype,
        codec=None if codec is None else codecs.parse(codec),
        asked=dict(steps=steps, spacing=spacing, noise=noise, last=last, domain=domain),
    )
    if as_json:
        values = dataclasses.asdict(done) | {"file": str(done.file), "card": done.card.as_dict()}
        typer.echo(json.dumps(values, sort_keys=True))
    else:
        _show(done)


def _show(done: "Folding") -> None:
    said = [("folded, in float32", one) for one in done.folded]
    said += [(f"stored as {done.dtype}", one) for one in done.stored]
    for what, one in said:
        size = "x".join(map(str, one.size))
        typer.echo(
            f"{what:>20} {size:>9}: off by {one.largest:.1e} at most, {one.mean:.1e} on average "
            f"({UNITS[one.map]})"
        )
    megabytes = done.file.stat().st_size / 1e6
    card = done.card
    typer.echo(
        f"{done.file}: {megabytes:,.1f} MB, {card.task}, {card.steps} {card.spacing} "
        f"step{'s'[: card.steps > 1]} from {card.noise}; predict with --model {done.file}"
    )
