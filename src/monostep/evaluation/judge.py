"""A model and the baselines against the truth, batch by batch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from monostep.checkpoints.card import Card
from monostep.errors import MonostepError, SettingError
from monostep.evaluation import baselines
from monostep.evaluation.baselines import Means
from monostep.evaluation.protocol import Protocol, Task
from monostep.evaluation.scores import MODEL, Line, depth_scores, lines, normals_scores, not_finite
from monostep.evaluation.truth import Truth
from monostep.predictor import Predictor


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What a model says of itself, and the scores it got on every image."""

    card: Card
    dtype: str  # it computed in
    lines: list[Line] = field(default_factory=list)


def judge(
    predictors: Sequence[Predictor],
    truths: Iterable[Truth],
    protocol: Protocol,
    *,
    means: Means | None,
    done: Callable[[int], None] = lambda _: None,
) -> list[Judged]:
    """Scores of every model on every image; `done` hears how many images each batch had."""
    results = [
        Judged(card=predictor.card, dtype=str(predictor.dtype).removeprefix("torch."))
        for predictor in predictors
    ]
    for truth in truths:
        for predictor, result in zip(predictors, results, strict=True):
            result.lines.extend(_judge_batch(predictor, truth, protocol, means))
        done(len(truth.names))
    return results


def _judge_batch(
    predictor: Predictor, truth: Truth, protocol: Protocol, means: Means | None
) -> list[Line]:
    task = predictor.card.task
    maps, failures = _predictions(predictor, truth)
    failures |= not_finite(maps)
    size = truth.size
    methods = {MODEL: torch.nan_to_num(maps)}
    if task == "depth":
        trivial = baselines.depth_maps(size, means)
    elif means is not None and truth.normals is not None:
        trivial = baselines.normal_maps(size, means)
    else:
        raise SettingError(
            f"{predictor.card.name} predicts normals, but {protocol.name} knows true depth only: "
            "name a depth model"
        )
    methods |= {name: one.expand_as(maps) for name, one in trivial.items()}
    scores = {name: _scores(task, values, truth, protocol) for name, values in methods.items()}
    return lines(truth, scores, task=task, failures=failures)


def _scores(task: Task, values: Tensor, truth: Truth, protocol: Protocol) -> dict[str, Tensor]:
    if task == "depth":
        return depth_scores(values, truth, least_m=protocol.least_m)
    return normals_scores(values, truth)


def _predictions(predictor: Predictor, truth: Truth) -> tuple[Tensor, dict[int, str]]:
    """The model's maps of a batch, zero where it failed, and the reasons by position."""
    try:
        return torch.stack(_predict(predictor, list(truth.image))), {}
    except MonostepError:
        pass  # one bad image fails its batch: find out which
    maps, failures = [], {}
    empty = truth.depth_m[0] if predictor.card.task == "depth" else truth.image[0]
    for row, image in enumerate(truth.image):
        try:
            maps.extend(_predict(predictor, [image]))
        except MonostepError as error:
            maps.append(torch.zeros_like(empty))
            failures[row] = str(error)
    return torch.stack(maps), failures


def _predict(predictor: Predictor, images: list[Tensor]) -> list[Tensor]:
    results = predictor.predict(images, predictor.inference(), at_once=len(images))
    return [result.tensor.float().cpu() for result in results]
