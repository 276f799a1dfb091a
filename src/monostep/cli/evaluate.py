"""monostep evaluate BENCHMARK... --model NAME -o OUT."""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monostep.cli import source
from monostep.cli.exit_codes import SOME_FAILED
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.cli.evaluate_plan import Plan


def evaluate(
    benchmarks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BENCHMARK...",
            help="procedural, motorcycle, nyuv2, kitti, eth3d, scannet, diode, diode-indoor, "
            "diode-outdoor, nyuv2-normals, scannet-normals, ibims, sintel, vkitti, oasis, a "
            "manifest of your own, or paper-table-1 to 6, A-2 to A-4.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="Folder of the reports.")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="SOURCE", help="Name, folder or Hub id; may be repeated."),
    ] = None,
    predictions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR|NAME=DIR", help="What another program predicted; may be repeated."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder or tar of the benchmarks, as downloaded.")
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            help="marigold-2024 or monostep-1 for depth; dsine-2024, e2e-ft-2024 or monostep-1 "
            "for normals; may be repeated. In a call for both, each keeps to its own."
        ),
    ] = None,
    align: Annotated[
        str | None,
        typer.Option(
            help="depth, disparity, sqrt_disparity, log_depth, scale, none or robust-log; "
            "else what the predictions are."
        ),
    ] = None,
    names: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="Images to use, one a line.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Rows of a manifest: train, test, ...")] = None,
    images: Annotated[int | None, typer.Option(min=1, help="Only the first ones.")] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Of a model or of --predictions that do not say: depth or normals; of a joint "
            "model's maps, the one to judge."
        ),
    ] = None,
    quantity: Annotated[
        str | None,
        typer.Option(help="Of predictions: depth, disparity, sqrt_disparity, log_depth."),
    ] = None,
    invariance: Annotated[
        str | None, typer.Option(help="Of predicted depth: affine, scale, metric.")
    ] = None,
    frame: Annotated[
        str | None,
        typer.Option(help="Of predicted normals: opencv, opengl, directx, dsine."),
    ] = None,
    value_range: Annotated[
        str | None, typer.Option(help="Of predicted normals in float files: -1..1 or 0..1.")
    ] = None,
    height: Annotated[
        int | None, typer.Option(min=1, help="Of a procedural scene, in pixels. [default: 192]")
    ] = None,
    width: Annotated[
        int | None, typer.Option(min=1, help="Of a procedural scene, in pixels. [default: 256]")
    ] = None,
    baseline_scenes: Annotated[
        int | None,
        typer.Option(
            min=1, help="Procedural training scenes that baselines are means of. [default: 1000]"
        ),
    ] = None,
    baselines: Annotated[
        bool | None,
        typer.Option(
            "--baselines/--no-baselines",
            help="Maps that look at no image, beside; by default where no paper has numbers.",
        ),
    ] = None,
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
    seed: source.Seed = None,
    domain: Annotated[
        str | None,
        typer.Option(
            help="What joint models are told: indoor, outdoor or object, instead of the protocol's."
        ),
    ] = None,
    device: source.Device = "auto",
    dtype: Annotated[
        str | None, typer.Option(help="fp32 for scores to compare; bf16, fp16. [default: fp32]")
    ] = None,
    fp16: Annotated[bool, typer.Option("--fp16", help="The same as --dtype fp16.")] = False,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=0, help="Small images at once; 0: by the device.")
    ] = 0,
    max_memory: Annotated[
        str | None, typer.Option("--max-memory", metavar="SIZE", help="Not to pass, such as 6GB.")
    ] = None,
    network_frame: source.NetworkFrame = None,
    revision: source.Revision = None,
    variant: source.Variant = None,
    offline: source.Offline = False,
    prompt_tokens: source.PromptTokens = None,
    attention: source.Attention = None,
    unet: source.Unet = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Of paper-table-N: folder with a folder for each checkpoint, named as on the Hub "
            "(OWNER/NAME or NAME), by its alias in `monostep models`, or by the row's short name."
        ),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Of paper-table-N: get missing checkpoints.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that read images. [default: automatic]")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Judge again what was judged before.")
    ] = False,
    save_predictions: Annotated[
        Path | None,
        typer.Option(
            "--save-predictions",
            metavar="DIR",
            help="Keep the models' maps in DIR/[PROTOCOL/][MODEL/]BENCHMARK/, with folders for "
            "protocols or models where there are several; --predictions reads one such folder.",
        ),
    ] = None,
    sheets: Annotated[
        int, typer.Option(min=0, help="Draw so many of the worst, median and best images.")
    ] = 0,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A.csv B.csv", help="Test which of two reports is better."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per report instead of tables.")
    ] = False,
) -> None:
    """Measure models, or what any program predicted, against true depth and normals."""
    if compare is not None:
        return _compare(compare, beside=locals(), as_json=as_json)
    output = _folder(benchmarks, output)
    from monostep.cli import evaluate_plan, evaluate_tables

    tables, benchmarks = evaluate_tables.split(benchmarks or [])
    scenes: dict[str, Any] = dict(height=height, width=width, baseline_scenes=baseline_scenes)
    meaning: dict[str, Any] = dict(
        quantity=quantity, invariance=invariance, frame=frame, value_range=value_range
    )
    found: dict[str, Any] = dict(revision=revision, variant=variant, offline=offline or None)
    found |= dict(task=task, frame=network_frame, prompt_tokens=prompt_tokens, device=device)
    found |= dict(attention=attention, unet=unet)
    looks: dict[str, Any] = dict(resolution=resolution, fit=fit, last=last, seed=seed)
    looks |= dict(domain=domain)
    way: dict[str, Any] = dict(steps=steps, ensemble=ensemble, spacing=spacing, noise=noise)
    keeping: dict[str, Any] = dict(overwrite=overwrite, sheets=sheets, baselines=baselines)
    keeping |= dict(save_predictions=save_predictions)
    plan = evaluate_plan.Plan(
        benchmarks=benchmarks,
        protocols=protocol or [],
        asked=evaluate_plan.Asked(data=data, list=names, split=split, images=images, **scenes),
        models=models or [],
        predictions=predictions or [],
        declared=evaluate_plan.Declared(task=evaluate_plan.task(task), **meaning),
        loading=evaluate_plan.loading(dtype, fp16=fp16, max_memory=max_memory, **found),
        sampling=looks | way,
        batch_size=batch_size,
        how=evaluate_plan.How(
            output=output, alignment=evaluate_plan.alignment(align), workers=workers, **keeping
        ),
    )
    if tables:
        return _reproduce(tables, plan, weights, download=download, as_json=as_json)
    if weights is not None or download:
        raise SettingError("--weights and --download are for paper-table-N: leave them out")
    return _judge(plan, as_json=as_json)


def _folder(benchmarks: list[str] | None, output: Path | None) -> Path:
    if not benchmarks:
        raise SettingError("no benchmark: name one, such as procedural, or give --compare")
    if output is None:
        raise SettingError("-o OUT is missing: the folder that the reports are written to")
    return output


def _compare(files: tuple[Path, Path], *, beside: dict[str, Any], as_json: bool) -> None:
    """Refuse whatever else was asked for: nothing is judged that it could change."""
    from monostep.cli import evaluate_screen

    for name, parameter in inspect.signature(evaluate).parameters.items():
        if name in ("compare", "as_json") or beside[name] == parameter.default:
            continue
        [about] = parameter.annotation.__metadata__
        names = (about.default, *(about.param_decls or ()))  # typer takes the first for a default
        known = [each for each in names if isinstance(each, str)]
        shown = known[0] if known else f"--{name.replace('_', '-')}"
        if name == "benchmarks":
            shown = ", ".join(beside[name])
        raise SettingError(f"--compare reads two reports: leave {shown} out")
    evaluate_screen.show_comparison(files, as_json=as_json)


def _reproduce(
    tables: list[str], plan: "Plan", weights: Path | None, *, download: bool, as_json: bool
) -> None:
    from monostep.cli import evaluate_screen, evaluate_tables

    told = evaluate_tables.told(tables, plan, weights, download=download)
    failed = 0
    with evaluate_screen.Terminal() as screen:
        for number in tables:
            failed += evaluate_tables.show(number, told, screen, as_json=as_json)
    if failed:
        raise typer.Exit(SOME_FAILED)


def _judge(plan: "Plan", *, as_json: bool) -> None:
    """Show each report as it is made; exit 3 if some images could not be judged."""
    from monostep.cli import evaluate_plan, evaluate_screen

    failed = 0
    with evaluate_screen.Terminal() as screen:
        for report in evaluate_plan.execute(plan, screen):
            evaluate_screen.show(report, as_json=as_json)
            failed += len(report["failed"])
    if failed:
        raise typer.Exit(SOME_FAILED)
