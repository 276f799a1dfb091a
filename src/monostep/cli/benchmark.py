"""monostep benchmark [--model SOURCE | --size SIZE] [--training | --joint] | --evaluation."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from monostep.cli import source
from monostep.cli.exit_codes import FAILED
from monostep.errors import SettingError

if TYPE_CHECKING:
    from monostep.benchmark.cases import Case

Told: TypeAlias = tuple[dict[str, Any], Callable[[dict[str, Any]], str]]
FOR_TRAINING = ("recompute", "warm-up")
FOR_PREDICTIONS = ("steps", "compile", "baseline", "measure-baseline", "cold-start")
NOT_JOINT = ("model", "task", "network-frame", "against", *FOR_TRAINING, *FOR_PREDICTIONS)


def benchmark(
    model: Annotated[
        str | None, typer.Option("--model", metavar="SOURCE", help="Name, folder or Hub id.")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Random weights instead: sd2, nano or tiny. [default: nano]"),
    ] = None,
    task: source.Task = None,
    network_frame: source.NetworkFrame = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the random weights here, and keep.")
    ] = None,
    image_size: Annotated[
        list[str] | None,
        typer.Option("--image-size", metavar="HxW", help="In pixels; may be repeated."),
    ] = None,
    batch_size: Annotated[
        list[int] | None, typer.Option("--batch-size", min=1, help="May be repeated.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="fp32, bf16, fp16, separated by commas.")] = "fp32",
    device: source.Device = "auto",
    steps: source.Steps = None,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Also with torch.compile, ours and diffusers.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            help="diffusers, unfolded, depth-anything-v2-large, depth-anything-v2-small, "
            "dpt-large, separated by commas, or none; with --training diffusers and "
            "diffusers-tuned, which is channels-last with fused AdamW. [default: diffusers]"
        ),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(metavar="STEPSxMEMBERS", help="A sampler of old; may be repeated."),
    ] = None,
    measure_baseline: Annotated[
        bool,
        typer.Option(
            "--measure-baseline", help="Run it once, instead of computing it from stages."
        ),
    ] = False,
    repeat: Annotated[int, typer.Option(help="Rounds.")] = 5,
    cold_start: Annotated[
        int | None,
        typer.Option("--cold-start", help="Rounds of new processes; 0: none. [default: 3]"),
    ] = None,
    training: Annotated[
        bool,
        typer.Option(
            "--training", help="Measure optimiser steps instead, on random or given weights."
        ),
    ] = False,
    joint: Annotated[
        bool,
        typer.Option(
            "--joint",
            help="Measure one pass of a joint model instead, against a pass of a depth model and "
            "one of a normals model, and against itself unfolded; random weights.",
        ),
    ] = False,
    evaluation: Annotated[
        bool,
        typer.Option(
            "--evaluation",
            help="Measure alignment and metrics of depth instead, on 4032x6048 unless told, "
            "against numpy's least squares and whole maps; no model takes part.",
        ),
    ] = False,
    recompute: Annotated[
        str | None,
        typer.Option(help="Activations not kept: none, unet or all. [default: none]"),
    ] = None,
    warm_up: Annotated[
        int | None, typer.Option("--warm-up", help="Steps of each process not timed. [default: 1]")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Of each process. [default: torch's]")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.json", help="All of it.")
    ] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE.md", help="The tables.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
) -> None:
    """Measure ours and others side by side, in turns; exit 1 if they do not agree."""
    from monostep.benchmark import cases

    for_models = {"model": model, "size": size, "task": task, "network-frame": network_frame}
    for_models |= {"keep": keep, "batch-size": batch_size, "against": against}
    for_models |= {"dtype": dtype if dtype != "fp32" else None, "steps": steps}
    for_models |= {"device": device if device != "auto" else None, "compile": compiled or None}
    for_models |= {"baseline": baseline, "measure-baseline": measure_baseline or None}
    for_models |= {"cold-start": cold_start, "training": training or None}
    for_models |= {"recompute": recompute, "warm-up": warm_up, "joint": joint or None}
    _check_mode(for_models, training=training, evaluation=evaluation, joint=joint)
    if evaluation:
        told = _evaluating(image_size or ["4032x6048"], repeat, threads)
        _tell(*told, output=output, markdown=markdown, as_json=as_json)
        return
    if model is not None and (size is not None or keep is not None):
        raise SettingError("--model and random weights (--size, --keep) exclude each other")
    looks = [cases.size(text) for text in image_size or ["384x512"]]
    wishes = {"dtypes": _names(dtype) or (), "against": _names(against)}
    wishes |= {"device": device, "threads": threads, "rounds": repeat}
    if training:
        wishes |= {"recompute": recompute or "none", "warm_ups": 1 if warm_up is None else warm_up}
    elif not joint:
        wishes |= {
            "compiled": compiled,
            "cold_starts": 3 if cold_start is None else cold_start,
            "baselines": tuple(cases.baseline(text) for text in baseline or []),
            "measure_baselines": measure_baseline,
        }
    every = cases.cases(looks, batch_size or [1], steps=steps)
    measure = _training if training else _predicting
    if joint:
        told = _joint(size or "nano", every, wishes, keep)
    else:
        with _weights(model, size=size or "nano", task=task, keep=keep) as found:
            told = measure(found, every, wishes, task=task, frame=network_frame)
    _tell(*told, output=output, markdown=markdown, as_json=as_json)


def _predicting(source: str, cases: Sequence[Case], wishes: dict[str, Any], **card: Any) -> Told:
    """Predictions, as values and as Markdown."""
    from monostep.benchmark import markdown, run
    from monostep.benchmark.plan import Wishes, plan

    planned = plan(source, cases, Wishes(**wishes), **card)
    with _telling() as tell:
        report = run.benchmark(planned, tell=tell)
    return report, markdown.document


def _training(source: str, cases: Sequence[Case], wishes: dict[str, Any], **card: Any) -> Told:
    """Optimiser steps, as values and as Markdown."""
    from monostep.benchmark import training_markdown, training_run
    from monostep.benchmark.training_plan import TrainingWishes, plan

    planned = plan(source, cases, TrainingWishes(**wishes), **card)
    with _telling() as tell:
        report = training_run.benchmark(planned, tell=tell)
    return report, training_markdown.document


def _joint(size: str, cases: Sequence[Case], wishes: dict[str, Any], keep: Path | None) -> Told:
    """Depth and normals of one model against two, as values and as Markdown."""
    from monostep.benchmark import joint_plan, joint_run
    from monostep.benchmark.plan import Wishes

    asked = Wishes(**wishes, cold_starts=0)
    with _folder(keep) as folder, _telling() as tell:
        planned = joint_plan.plan(folder, size, cases, asked)
        report = joint_run.benchmark(planned, tell=tell)
    return report, joint_run.document


def _evaluating(sizes: Sequence[str], rounds: int, threads: int | None) -> Told:
    """Alignment and metrics, as values and as Markdown."""
    from monostep.benchmark import cases, evaluation_markdown, evaluation_speed

    looks = [cases.size(text) for text in sizes]
    with _telling() as tell:
        report = evaluation_speed.benchmark(looks, rounds=rounds, threads=threads, tell=tell)
    return report, evaluation_markdown.document


def _check_mode(
    given: Mapping[str, object], *, training: bool, evaluation: bool, joint: bool
) -> None:
    """Refuse options that another kind of benchmark has; those that are None were not given."""
    for name, value in given.items():
        other = None
        if evaluation:
            other = "without --evaluation"
        elif joint and name in ("training", *NOT_JOINT):
            other = "without --joint"
        elif name in FOR_TRAINING and not training:
            other = "with --training"
        elif name in FOR_PREDICTIONS and training:
            other = "without --training"
        if value is not None and other is not None:
            raise SettingError(f"--{name}: it is for the benchmark {other}")


def _tell(
    report: dict[str, Any],
    document: Callable[[dict[str, Any]], str],
    *,
    output: Path | None,
    markdown: Path | None,
    as_json: bool,
) -> None:
    """Write and print the report; exit 1 if it has problems."""
    from monostep.files import atomic

    report["command"] = " ".join(["monostep", *sys.argv[1:]])
    if output is not None:
        atomic.write_json(output, report)
    if markdown is not None:
        atomic.write_bytes(markdown, document(report).encode())
    typer.echo(json.dumps(report, sort_keys=True) if as_json else document(report))
    for problem in report["problems"]:
        typer.echo(f"monostep: {problem}", err=True)
    if report["problems"]:
        raise typer.Exit(FAILED)


def _names(text: str | None) -> tuple[str, ...] | None:
    """The names in a list with commas; "none" is the empty list."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    return () if names == ["none"] else tuple(dict.fromkeys(names))


@contextmanager
def _weights(model: str | None, *, size: str, task: str | None, keep: Path | None) -> Iterator[str]:
    """The source to load: the one that was given, or random weights for as long as needed."""
    from monostep.benchmark import random_weights

    if model is not None:
        yield model
        return
    with _folder(keep) as folder:
        yield str(random_weights.write(folder, size=size, task=task or "depth"))


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where weights are written: kept, or for as long as needed."""
    with tempfile.TemporaryDirectory() as aside:
        yield keep or Path(aside) / "random"


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """What is being done, on stderr, if that is a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("begins") as status:
        yield status.update
