"""A benchmark by its name: its models, its images, its reports."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from monostep.checkpoints import embedded, folder
from monostep.errors import SettingError
from monostep.evaluation import baselines, real, report
from monostep.evaluation.baselines import Means
from monostep.evaluation.judge import judge
from monostep.evaluation.procedural import scenes
from monostep.evaluation.protocol import Motorcycle, Procedural, Protocol, Task
from monostep.evaluation.truth import Truth
from monostep.loading import load
from monostep.predictor import Predictor

TASKS: dict[str, tuple[Task, ...]] = {
    "procedural": ("depth", "normals"),
    "motorcycle": ("depth",),
}


def predictors(
    benchmark: str, models: Sequence[str] | None, *, device: str, dtype: str = "fp32"
) -> list[Predictor]:
    """The named models, in float32 unless told; without names, the embedded ones that it measures.

    Raises:
        SettingError: an unknown benchmark, no model, or one whose task the benchmark cannot judge.
    """
    if benchmark not in TASKS:
        raise SettingError(f"benchmark {benchmark!r}: choose {', '.join(TASKS)}")
    loaded = [load(name, device=device, dtype=dtype) for name in models or _suited(benchmark)]
    if not loaded:
        raise SettingError("this installation has no embedded models: name one with --model")
    names = [predictor.card.name for predictor in loaded]
    if len(set(names)) < len(names):
        raise SettingError(
            f"models {', '.join(names)}: two share a name, so their reports would share a file; "
            "evaluate them into different folders"
        )
    for predictor in loaded:
        _check_task(predictor, benchmark)
    return loaded


def count(benchmark: str, procedural: Procedural) -> int:
    """How many images a benchmark has."""
    return procedural.images if benchmark == "procedural" else 1


def run(
    benchmark: str,
    predictors: Sequence[Predictor],
    output: Path,
    *,
    procedural: Procedural,
    done: Callable[[int], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Judge all models on the same images and write one report each; the reports are returned."""
    protocol, truths, means = _images(benchmark, procedural, output)
    results = judge(predictors, truths, protocol, means=means, done=done)
    reports = []
    for result in results:
        values = report.report(benchmark, protocol, result)
        name = re.sub(r"[^\w.-]+", "-", values["model"])
        stem = benchmark if len(results) == 1 else f"{benchmark}-{name}"
        report.write(output, stem, values, result.lines)
        reports.append(values)
    return reports


def _images(
    benchmark: str, procedural: Procedural, output: Path
) -> tuple[Protocol, Iterator[Truth], Means | None]:
    if benchmark == "motorcycle":
        return Motorcycle(), real.motorcycle(), None
    return procedural, scenes(procedural), baselines.load_or_compute(procedural, output)


def _suited(benchmark: str) -> list[str]:
    return [
        name
        for name in embedded.names()
        if folder.read_card(embedded.locate(name)).task in TASKS[benchmark]
    ]


def _check_task(predictor: Predictor, benchmark: str) -> None:
    task = predictor.card.task
    if task not in TASKS[benchmark]:
        raise SettingError(
            f"{predictor.card.name} predicts {task}, but {benchmark} can judge "
            f"{' and '.join(TASKS[benchmark])} only: name another model"
        )
