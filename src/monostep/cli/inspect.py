"""monostep inspect SOURCE: what it is, how it would be run, and what each step is told."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monostep.cli import source
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.checkpoints.opening import Checkpoint
    from monostep.inspection.describe import Description


def inspect(
    model: source.Model,
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
    ensemble: source.Ensemble = None,
    spacing: source.Spacing = None,
    noise: source.Noise = None,
    last: source.Last = None,
    seed: source.Seed = None,
    domain: source.Domain = None,
    trajectory: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="Also decode every step of this photo into -o DIR."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Of the trajectory.")
    ] = None,
    device: source.Device = "auto",
    dtype: source.Dtype = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show a model's settings and, for each step, the noise it is told and the noise it gets."""
    from monostep.checkpoints import asking, opening
    from monostep.device import choose_device, choose_dtype
    from monostep.inspection.describe import describe

    choose_dtype(dtype, choose_device(device))
    if (trajectory is None) != (output is None):
        raise SettingError("--trajectory PHOTO and -o DIR belong together: give both or none")
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
    asked = dict(resolution=resolution, steps=steps, ensemble=ensemble, spacing=spacing)
    asked |= dict(noise=noise, last=last, seed=seed, domain=domain)
    description = describe(checkpoint, **asked)
    report: dict[str, Any] = asdict(description) | {"prompt_tokens": prompt_tokens}
    if not as_json:
        _show(description, prompt_tokens)
    if trajectory is not None and output is not None:
        report["trajectory"] = _trajectory(
            checkpoint, trajectory, output, asked, device=device, dtype=dtype
        )
        if not as_json:
            _show_trajectory(report["trajectory"], output)
    if as_json:
        typer.echo(json.dumps(report, sort_keys=True, default=str))


def _trajectory(
    checkpoint: "Checkpoint",
    photo: Path,
    output: Path,
    asked: dict[str, Any],
    *,
    device: str,
    dtype: str,
) -> list[dict[str, Any]]:
    """Write the trajectories of the photo, and return their numbers."""
    from monostep import loading
    from monostep.inspection import trajectory, trajectory_files
    from monostep.pictures import as_bytes, as_tensor
    from monostep.runner.run import check_folder

    check_folder(output)
    picture = as_tensor(photo)
    model = loading.open_checkpoint(checkpoint, device=device, dtype=dtype)
    if not model.network.sees_noise:
        raise SettingError(f"{model.card.name}: takes one step only, so it has no trajectory")
    # One step has no trajectory; ten show it.
    steps = asked["steps"] or (model.card.steps if checkpoint.file else max(model.card.steps, 10))
    usual = [model.card.spacing] if checkpoint.file else trajectory.spacings(model)
    spacings = [asked["spacing"]] if asked["spacing"] else usual
    followed = []
    for spacing in spacings:
        how = model.inference(**asked | {"spacing": spacing, "steps": steps})
        followed += trajectory.follow(model, picture, how)
    trajectory_files.write(followed, as_bytes(picture), output, photo.stem)
    return [each.numbers() for each in followed]


def _show(description: "Description", prompt_tokens: int | None) -> None:
    facts = {**description.facts, **{f"run with {k}": v for k, v in description.settings.items()}}
    facts["run with prompt tokens"] = prompt_tokens or _prompt(description.facts)
    source = facts.pop("source")
    facts |= {"id": source.get("id"), "commit": source.get("commit")}
    facts["unet folder"] = source.get("unet")
    for title, scores in facts.pop("scores").items():
        facts[f"scores, {title}"] = json.dumps(scores)
    width = max(len(name) for name, value in facts.items() if value is not None)
    for name, value in facts.items():
        if value is not None:
            text = f"{value:.4g}" if isinstance(value, float) else value
            typer.echo(f"{name.replace('_', ' '):{width}}  {text}")
    typer.echo("\nstep  timestep  noise told  noise given")
    for number, row in enumerate(description.steps, start=1):
        given = "zeros" if row.given is None else f"{row.given:.4f}"
        typer.echo(f"{number:4}  {row.timestep:8}  {row.told:10.4f}  {given:>11}")
    for line in description.cautions:
        typer.echo(f"monostep: warning: {line}", err=True)


def _prompt(facts: dict[str, Any]) -> str:
    if facts["task"] != "geometry":
        return "as the folder carries, else 2"
    return "none" if facts["image_encoder"] else "those that say the domain"


def _show_trajectory(numbers: list[dict[str, Any]], output: Path) -> None:
    typer.echo("\nspacing   map      spread over steps  first step to last  correlation  unit")
    for each in numbers:
        correlation = each["first_to_last_correlation"]
        typer.echo(
            f"{each['spacing']:8}  {each['map']:7}  {each['spread_over_steps']:17.4f}  "
            f"{each['distance_to_last'][0]:18.4f}  "
            f"{'-' if correlation is None else format(correlation, '.4f'):>11}  {each['unit']}"
        )
    steps = len(numbers[0]["timesteps"])
    typer.echo(f"written to {output}: {steps} steps of one member")
