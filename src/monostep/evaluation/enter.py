"""From what the user names to those who take part: models by name, predictions by folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monostep.checkpoints import embedded
from monostep.checkpoints import folder as model_folder
from monostep.errors import SettingError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.predictions.folder import PredictionFolder
from monostep.evaluation.rules import Task
from monostep.evaluation.stored import StoredPredictions
from monostep.geometry import frames
from monostep.predictor import Predictor
from monostep.runner import models
from monostep.runner.models import Loading


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What the user says of predictions that do not say it themselves; None: nothing."""

    task: Task | None = None
    quantity: str | None = None
    invariance: str | None = None
    frame: str | None = None
    value_range: str | None = None


def load(names: Sequence[str], how: Loading, asked: Mapping[str, Any]) -> list[Predictor]:
    """The models of these names, each loaded once, that have the settings asked for.

    Raises:
        CheckpointError: a model is missing, partial or corrupt.
        SettingError: a setting that a model does not have.
        MissingExtraError: a model's text encoder needs an extra package.
    """
    # A joint model is there under both of its tasks.
    return [one for name in names for one in set(models.load([name], how, asked).values())]


def embedded_for(benchmarks: Sequence[Benchmark]) -> list[str]:
    """The models inside the package whose task one of these benchmarks can judge.

    Raises:
        SettingError: there is none for one of them.
    """
    maps = {name: _maps(name) for name in embedded.names()}
    for benchmark in benchmarks:
        if not any(kinds & benchmark.rules.keys() for kinds in maps.values()):
            raise SettingError(
                f"{benchmark.name}: no model inside this installation predicts what it judges; "
                "name one with --model"
            )
    judged = {task for benchmark in benchmarks for task in benchmark.rules}
    return [name for name, kinds in maps.items() if kinds & judged]


def predictions(
    named: Sequence[str], declared: Declared, benchmarks: Sequence[Benchmark]
) -> list[StoredPredictions]:
    """Folders, DIR or NAME=DIR, as contenders.

    Raises:
        InputError: no such folder.
        SettingError: it is not clear what they predict, or a declaration that makes no sense.
    """
    folders = [_split(words) for words in named]
    task = _predicted(declared, benchmarks) if named else "depth"
    found = []
    for name, path in folders:
        folder = PredictionFolder(
            path,
            task=task,
            quantity=declared.quantity,  # pyright: ignore[reportArgumentType] - checked there
            invariance=declared.invariance,  # pyright: ignore[reportArgumentType]
            frame=None if declared.frame is None else frames.check(declared.frame),
            value_range=declared.value_range or "-1..1",  # pyright: ignore[reportArgumentType]
        )
        found.append(StoredPredictions(name=name, folder=folder))
    return found


def _split(words: str) -> tuple[str, Path]:
    name, equals, rest = words.partition("=")
    if not equals or Path(words).exists():
        return Path(words).resolve().name, Path(words)
    if not name or not rest:
        lacking = "folder behind" if name else "name before"
        raise SettingError(f"predictions {words}: no {lacking} the =; give DIR or NAME=DIR")
    return name, Path(rest)


def _predicted(declared: Declared, benchmarks: Sequence[Benchmark]) -> Task:
    """The task of predictions: as declared, else the only one that all benchmarks judge."""
    if declared.task is not None:
        return declared.task
    if declared.quantity is not None or declared.invariance is not None:
        return "depth"
    if declared.frame is not None or declared.value_range is not None:
        return "normals"
    tasks: set[Task] = {task for benchmark in benchmarks for task in benchmark.rules}
    if len(tasks) != 1:
        raise SettingError(
            f"these benchmarks judge {' and '.join(sorted(tasks))}: say with --task which the "
            "predictions are"
        )
    return tasks.pop()


def _maps(name: str) -> set[str]:
    return set(model_folder.read_card(embedded.locate(name)).maps)
