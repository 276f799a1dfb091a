"""Scores of a model's trials on the held-out scenes, as `monostep evaluate procedural` has them."""

from collections.abc import Iterable, Mapping

import numpy as np

from monostep.errors import InputError
from monostep.evaluation.judge import judge
from monostep.evaluation.live import as_prediction
from monostep.evaluation.rules import Task
from monostep.evaluation.scores import MODEL
from monostep.reproduction.results import SCORED, Scores
from monostep.reproduction.sampling import Subject
from monostep.reproduction.scenes import Scenes
from monostep.reproduction.trials import PATH, Trial, sampled
from monostep.results import Result

# What is lower for a better map, then what is higher.
METRICS: Mapping[Task, tuple[str, str]] = {
    "depth": ("abs_rel", "delta1"),
    "normals": ("mean_angle_deg", "within_11.25_deg"),
}


def measure(subject: Subject, trial: Trial) -> Scores:
    """Error and accuracy of one trial of a model on every scene.

    Raises:
        SettingError: the model cannot be run in this way.
        CheckpointError: the network's output is not finite.
        InputError: a scene or map that cannot be judged.
    """
    results = subject.results(subject.inference(trial.way))
    rows = [
        _judged(subject.scenes, number, result, trial.kind) for number, result in enumerate(results)
    ]
    return _scores(subject.scenes, dict(zip(SCORED, zip(*rows, strict=True), strict=True)))


def path(subject: Subject, kind: Task) -> Scores:
    """Error of what a diffusion model says after each of 50 trailing steps from Gaussian noise.

    Columns step_1 to step_50; the last one is the error of the trial "trailing-50".

    Raises:
        SettingError: the model is no diffusion model.
        CheckpointError: the network's output is not finite.
        InputError: a scene or map that cannot be judged.
    """
    how = subject.inference(sampled("trailing", PATH))
    rows = [
        [_judged(subject.scenes, number, result, kind)[0] for result in results]
        for number, results in enumerate(subject.steps(how))
    ]
    names = [f"step_{step}" for step in range(1, PATH + 1)]
    return _scores(subject.scenes, dict(zip(names, zip(*rows, strict=True), strict=True)))


def _judged(scenes: Scenes, number: int, result: Result, kind: Task) -> tuple[float, float]:
    case = scenes.cases[number]
    line = judge(as_prediction(result, kind), case, scenes.rules[kind], rivals={}).line
    if line.problem is not None:
        raise InputError(f"scene {case.name}, {kind}: {line.problem}; so a study has no mean of it")
    error, accuracy = (line.scores[MODEL][name] for name in METRICS[kind])
    return error, accuracy


def _scores(scenes: Scenes, columns: Mapping[str, Iterable[float]]) -> Scores:
    return Scores(
        names=tuple(case.name for case in scenes.cases),
        strata=tuple(case.stratum for case in scenes.cases),
        columns={name: np.array(list(values)) for name, values in columns.items()},
    )
