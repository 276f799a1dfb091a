"""monostep verify SOURCE: the user's own checkpoint through diffusers and through monostep."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monostep.cli import source
from monostep.cli.exit_codes import FAILED
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.inspection.verify import Outcome


def verify(
    model: source.Model,
    task: source.Task = None,
    network_frame: source.NetworkFrame = None,
    revision: source.Revision = None,
    variant: source.Variant = None,
    offline: source.Offline = False,
    prompt_tokens: source.PromptTokens = None,
    attention: source.Attention = None,
    unet: source.Unet = None,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="HxW", help="Of the pictures, in pixels; may be repeated."),
    ] = None,
    steps: source.Steps = None,
    ensemble: source.Ensemble = None,
    spacing: source.Spacing = None,
    noise: source.Noise = None,
    seed: source.Seed = None,
    domain: source.Domain = None,
    device: source.Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a case.")] = False,
) -> None:
    """Run a model through diffusers and through monostep; exit 1 if they differ.

    The reference is diffusers' own pipeline, or for a joint model GeoWizard's published program on
    diffusers' and transformers' networks.
    """
    from monostep.checkpoints import asking, opening
    from monostep.device import choose_device
    from monostep.inspection import verify as proof

    sizes = [_size(text) for text in size] if size else proof.SIZES
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
    asked = dict(steps=steps, ensemble=ensemble, spacing=spacing, noise=noise, seed=seed)
    asked |= {"domain": domain}
    outcomes = proof.verify(checkpoint, sizes, device=choose_device(device), **asked)
    if as_json:
        for outcome in outcomes:
            typer.echo(json.dumps(_values(outcome), sort_keys=True))
    else:
        _show(outcomes, task=checkpoint.card.task)
    if not all(outcome.equal for outcome in outcomes):
        raise typer.Exit(FAILED)


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise SettingError(f"--size {text}: expected HEIGHTxWIDTH in pixels, such as 480x640")
    return int(parts[0]), int(parts[1])


def _values(outcome: "Outcome") -> dict[str, Any]:
    return {
        "size": list(outcome.case.size),
        "map": outcome.kind,
        "resolution": outcome.case.how.resolution,
        "steps": outcome.case.how.steps,
        "ensemble": outcome.case.how.ensemble,
        "difference": outcome.difference,
        "tolerance": outcome.tolerance,
        "spread": outcome.spread,
        "equal": outcome.equal,
        "seconds": {"monostep": outcome.ours.seconds, "diffusers": outcome.theirs.seconds},
        "peak_bytes": {"monostep": outcome.ours.peak_bytes, "diffusers": outcome.theirs.peak_bytes},
    }


def _show(outcomes: list["Outcome"], *, task: str) -> None:
    typer.echo(
        "     size  resolution  map      difference  tolerance  spread  seconds, diffusers  "
        "peak GiB, diffusers"
    )
    for outcome in outcomes:
        ours, theirs = outcome.ours, outcome.theirs
        size = "x".join(map(str, outcome.case.size))
        typer.echo(
            f"{size:>9}  {outcome.case.how.resolution or 'native':>10}  {outcome.kind:7}  "
            f"{outcome.difference:10.1e}  {outcome.tolerance:9.0e}  {outcome.spread:6.3f}  "
            f"{ours.seconds:7.2f}  {theirs.seconds:9.2f}  "
            f"{_gib(ours.peak_bytes):>8}  {_gib(theirs.peak_bytes):>9}  "
            f"{_verdict(outcome)}"
        )
    if task == "geometry":
        typer.echo("the steps of GeoWizard's program, with networks of diffusers and transformers")
    else:
        typer.echo("both with monostep's embedding of the empty prompt")


def _verdict(outcome: "Outcome") -> str:
    if outcome.equal:
        return "equal"
    alike = outcome.difference <= outcome.tolerance
    return "CONSTANT, proves nothing" if alike else "DIFFERENT"


def _gib(count: int | None) -> str:
    return "-" if count is None else f"{count / 2**30:.2f}"
