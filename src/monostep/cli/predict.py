"""monostep predict INPUT... -o DIR."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monostep.cli import source
from monostep.cli.exit_codes import FAILED, SOME_FAILED
from monostep.cli.predict_screen import Screen
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.inference import Inference
    from monostep.predictor import Predictor
    from monostep.runner.inputs import Found
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
        typer.Option(
            "--model",
            metavar="SOURCE",
            help="Name (`monostep models`), folder or Hub id; one for each task, or for both.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="Only depth or normals; what a model predicts that does not say."),
    ] = None,
    formats: Annotated[
        str,
        typer.Option("--format", help="Of npy, npz, png, exr, exr-half, tiff; png adds previews."),
    ] = "npy,png",
    frame: Annotated[
        str, typer.Option(help="Axes of the results: opencv, opengl, directx, dsine.")
    ] = "opencv",
    network_frame: source.NetworkFrame = None,
    revision: source.Revision = None,
    variant: source.Variant = None,
    offline: source.Offline = False,
    prompt_tokens: source.PromptTokens = None,
    attention: source.Attention = None,
    unet: source.Unet = None,
    resolution: source.Resolution = None,
    fit: Annotated[
        str | None,
        typer.Option(help="How an image gets the network's size: pad, or reference (the paper's)."),
    ] = None,
    steps: source.Steps = None,
    ensemble: source.Ensemble = None,
    spacing: source.Spacing = None,
    noise: source.Noise = None,
    last: source.Last = None,
    merge: Annotated[
        str | None,
        typer.Option(
            help="Of an ensemble: depth pairwise, joint; normals closest, mean, closest-map."
        ),
    ] = None,
    domain: source.Domain = None,
    seed: source.Seed = None,
    device: source.Device = "auto",
    dtype: source.Dtype = "auto",
    fp16: Annotated[bool, typer.Option("--fp16", help="The same as --dtype fp16.")] = False,
    batch_size: Annotated[
        int, typer.Option("--batch-size", help="Images at once; 0: by the device.")
    ] = 0,
    max_memory: Annotated[
        str | None,
        typer.Option("--max-memory", metavar="SIZE", help="Not to pass, such as 6GB; slower."),
    ] = None,
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
    from monostep.feedforward.memory import parse_bytes
    from monostep.geometry import frames
    from monostep.runner import models, settings

    if output is None:
        raise SettingError("-o DIR is missing: the folder that the results are written to")
    _check(batch_size, quiet=quiet, verbose=verbose)
    sampling = dict(steps=steps, ensemble=ensemble, spacing=spacing, noise=noise, seed=seed)
    result = dict(resolution=resolution, fit=fit, last=last, merge=merge, domain=domain)
    chosen = settings.Settings(
        output=output,
        formats=settings.formats(formats),
        frame=frames.check(frame),
        asked={**sampling, **result},
        batch_size=batch_size,
        overwrite=overwrite,
    )
    loading = models.Loading(
        task=task,
        frame=network_frame,
        device=device,
        dtype=_dtype(dtype, fp16=fp16),
        revision=revision,
        variant=variant,
        offline=offline or None,
        prompt_tokens=prompt_tokens,
        attention=attention,
        unet=unet,
        max_memory=parse_bytes(max_memory),
    )
    found = _find(inputs or [], list_file, output, recursive=not no_recursive)
    predictors = models.load(model or [], loading, chosen.asked)
    total = len(found.jobs) + len(found.absent)
    with Screen(total=total, as_json=as_json, quiet=quiet, verbose=verbose) as screen:
        _announce(predictors, chosen, screen, named=bool(model))
        code = _run(found, predictors, chosen, screen)
    screen.finish()
    raise typer.Exit(code)


def _check(batch_size: int, *, quiet: bool, verbose: bool) -> None:
    if quiet and verbose:
        raise SettingError("-q and -v contradict each other; give one of them")
    if batch_size < 0:
        raise SettingError(f"--batch-size {batch_size}: expected 0 (by the device) or more")


def _find(named: list[str], list_file: str | None, output: Path, *, recursive: bool) -> "Found":
    """All jobs; SettingError when there is none."""
    from monostep.runner import inputs as search

    named = [*named, *(search.read_list(list_file) if list_file else [])]
    found = search.find(named, output=output, recursive=recursive)
    if not found.jobs:
        reasons = [absent.reason for absent in found.absent]
        raise SettingError(
            "\nmonostep: ".join(reasons) or "no input: name an image, folder or pattern"
        )
    return found


def _announce(
    predictors: "dict[str, Predictor]", chosen: "Settings", screen: Screen, *, named: bool
) -> None:
    """Say what runs, and what makes its results worse than they need be."""
    from monostep.runner.plan import plan

    planned = plan(predictors, chosen)
    if not named:
        screen.say(_self_test(predictors))
    for task, predictor in predictors.items():
        facts = {k: v for k, v in planned.made_by[task].items() if not isinstance(v, dict)}
        words = ", ".join(f"{name} {value}" for name, value in facts.items())
        screen.detail(f"{task} on {predictor.device}: {words}")
    for predictor, task in {predictor: task for task, predictor in predictors.items()}.items():
        _caution(predictor, planned.inferences[task], screen, seed=chosen.asked.get("seed"))
    if chosen.frame != "opencv" and "normals" not in predictors:
        screen.say(f"frame {chosen.frame}: without effect, no model here predicts normals")


def _caution(
    predictor: "Predictor", inference: "Inference", screen: Screen, *, seed: int | None
) -> None:
    """Say once what makes a model's results worse, and what is without effect."""
    for line in predictor.cautions(inference):
        screen.warn(line)
    draws_nothing = (inference.noise, predictor.sampler(inference).draws) == ("zeros", 1)
    if seed is not None and draws_nothing:
        screen.say(f"seed {seed}: without effect, {predictor.card.name} draws no noise")


def _run(
    found: "Found", predictors: "dict[str, Predictor]", chosen: "Settings", screen: Screen
) -> int:
    """The exit code of a run over all that was found, reported on the screen."""
    from monostep.runner.ledger import Outcome
    from monostep.runner.run import check_folder, run

    check_folder(chosen.output)
    for absent in found.absent:
        screen.report(Outcome(input=absent.named, status="failed", error=absent.reason))
    summary = run(
        found.jobs,
        predictors,
        chosen,
        screen.report,
        say=lambda line: screen.say(f"monostep: {line}"),
    )
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
    published = " ".join(f"--model e2e-{task}" for task in predictors)
    return (
        f"monostep: running small self-test models: {', '.join(words)}; {published} gets the "
        "published ones, `monostep models` lists them all"
    )


def _scores(scores: Any) -> str:
    test = {key: value for key, value in scores.get("test", {}).items() if key != "images"}
    words = [f"{key} {value:.3g}" for key, value in test.items() if isinstance(value, int | float)]
    return f"test {', '.join(words)}" if words else "not measured"
