"""monostep data label IMAGE... --model SOURCE -o MANIFEST."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monostep.cli import source
from monostep.cli.exit_codes import FAILED, SOME_FAILED
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.cli.predict_screen import Screen
    from monostep.predictor import Predictor
    from monostep.runner.inputs import Found
    from monostep.runner.labels import LabelSettings


def label(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Images, folders or patterns.")
    ],
    model: Annotated[
        str,
        typer.Option(metavar="SOURCE", help="Name (`monostep models`), folder or Hub id."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="MANIFEST",
            help="A .jsonl or .csv; the labels go into a folder beside it, called like it.",
        ),
    ],
    scale: Annotated[
        float, typer.Option(help="Of the second resolution at which the model looks, below 1.")
    ] = 0.75,
    resolution: source.Resolution = None,
    task: source.Task = None,
    network_frame: source.NetworkFrame = None,
    revision: source.Revision = None,
    variant: source.Variant = None,
    offline: source.Offline = False,
    prompt_tokens: source.PromptTokens = None,
    attention: source.Attention = None,
    unet: source.Unet = None,
    steps: source.Steps = None,
    ensemble: source.Ensemble = None,
    seed: source.Seed = None,
    domain: source.Domain = None,
    device: source.Device = "auto",
    dtype: source.Dtype = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Redo what is complete already.")
    ] = False,
    no_recursive: Annotated[
        bool, typer.Option("--no-recursive", help="Leave the folders in folders out.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each image on stdout.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say only what failed.")] = False,
) -> None:
    """Label photographs with a model's own depth or normals, for `monostep train self-train`.

    The model looks four times, also mirrored and at a smaller resolution. What it says on average
    is the label, and how far it agrees with itself is the confidence of each pixel. A second run
    keeps what is whole. Images that cannot be read are named and left out; the exit code is then 3.
    """
    from monostep.cli.predict_screen import Screen
    from monostep.runner import models
    from monostep.runner.labels import LabelSettings, check

    sampling = dict(steps=steps, ensemble=ensemble, seed=seed)
    asked = dict(resolution=resolution, domain=domain, **sampling)
    settings = LabelSettings(
        manifest=output, scale=scale, asked=asked, task=task, overwrite=overwrite
    )
    loading = models.Loading(
        task=task,
        frame=network_frame,
        device=device,
        dtype=dtype,
        revision=revision,
        variant=variant,
        offline=offline or None,
        prompt_tokens=prompt_tokens,
        attention=attention,
        unet=unet,
    )
    found = _find(images, settings, recursive=not no_recursive)
    predictor, *_ = models.load([model], loading, asked).values()
    check(predictor, settings)
    total = len(found.jobs) + len(found.absent)
    with Screen(total=total, as_json=as_json, quiet=quiet, verbose=False) as screen:
        code = _run(found, predictor, settings, screen)
    screen.finish()
    raise typer.Exit(code)


def _find(named: list[str], settings: LabelSettings, *, recursive: bool) -> Found:
    """All jobs; SettingError when there is none."""
    from monostep.runner import inputs

    found = inputs.find(named, output=settings.folder, recursive=recursive)
    if not found.jobs:
        raise SettingError("\nmonostep: ".join(absent.reason for absent in found.absent))
    folder = settings.folder.resolve()
    if any(job.source.resolve().is_relative_to(folder) for job in found.jobs):
        raise SettingError(
            f"-o {settings.manifest}: its labels would lie in {settings.folder}, among the images "
            "to be labelled; choose another name"
        )
    return found


def _run(found: Found, predictor: Predictor, settings: LabelSettings, screen: Screen) -> int:
    """The exit code of labelling all that was found, reported on the screen."""
    from monostep.runner.labels import label as label_all
    from monostep.runner.ledger import Outcome

    for line in predictor.cautions(predictor.inference(**settings.asked)):
        screen.warn(line)
    for absent in found.absent:
        screen.report(Outcome(input=absent.named, status="failed", error=absent.reason))
    labelled = label_all(found.jobs, predictor, settings, screen.report)
    counts = labelled.summary
    if labelled.mean_confidence is None:
        screen.say(f"monostep: {settings.manifest}: not written, no image has a label")
        return FAILED
    screen.say(
        f"monostep: {settings.manifest}: {counts.written} images labelled, {counts.skipped} there "
        f"already, {counts.failed} failed; mean confidence {labelled.mean_confidence:.3f}"
    )
    return SOME_FAILED if counts.failed + len(found.absent) else 0
