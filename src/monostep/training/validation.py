"""Measuring on the images that are held out, shared over the processes, and drawing some."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from monostep.data.samples import Samples
from monostep.errors import TrainingError
from monostep.files import preview
from monostep.training import precision, source
from monostep.training.config import TrainConfig
from monostep.training.source import Source
from monostep.training.task import Task, needs_truth
from monostep.training.world import World

Chunk = tuple[Source, range]


@torch.no_grad()
def score(task: Task, config: TrainConfig, world: World) -> float:
    """Mean score on the validation images, at the last phase's size; nan if any is nan.

    Images whose truth says nothing are left out. Raises TrainingError if no other is there.
    """
    every = list(_chunks(config))
    mine = every[world.rank :: world.size]
    total, count = 0.0, 0
    # With shared-out weights all processes must call the network equally often.
    for turn in range(math.ceil(len(every) / world.size)):
        counts = turn < len(mine)
        samples = _fetch(mine[turn] if counts else every[0], config).to(world.device)
        told = _told(task, samples)
        with precision.autocast(config.precision, world.device):
            scores = task.score(samples)
        if counts:
            total, count = total + scores[told].double().sum().item(), count + int(told.sum())
    total, count = world.total(total, count)
    if count == 0:
        raise TrainingError("no validation image has a valid pixel; look at their masks and depth")
    return total / count


def _told(task: Task, samples: Samples) -> Tensor:
    """Which images have all the truth that the task needs."""
    return samples.valid.flatten(1).any(dim=1) | (not needs_truth(task))


@torch.no_grad()
def draw(task: Task, config: TrainConfig, world: World, path: Path) -> None:
    """Image, prediction and truth of a few validation images, one below the other, as a PNG."""
    drawn: list[np.ndarray] = []
    for each, rows in _chunks(config):
        samples = _fetch((each, rows[: config.pictures - len(drawn)]), config)
        with precision.autocast(config.precision, world.device):
            predicted = task.predict(samples.to(world.device)).float().cpu()
        drawn += [_row(samples, predicted, k) for k in range(len(samples))]
        if len(drawn) == config.pictures or drawn[0].shape != drawn[-1].shape:
            break
    if world.leads:
        preview.write_png8(path, np.concatenate([d for d in drawn if d.shape == drawn[0].shape]))


def _chunks(config: TrainConfig) -> Iterator[Chunk]:
    _, _, _, images = config.phases[-1]
    for each in source.validation(config):
        for first in range(0, each.count, images):
            yield each, range(first, min(first + images, each.count))


def _fetch(chunk: Chunk, config: TrainConfig) -> Samples:
    _, height, width, _ = config.phases[-1]
    each, rows = chunk
    return each.fetch(rows, (height, width))


def _row(samples: Samples, predicted: Tensor, row: int) -> np.ndarray:
    image = (samples.image[row] * 255).round().byte().permute(1, 2, 0).numpy()
    valid = samples.valid[row].numpy()
    maps = (predicted, samples.depth_m if predicted.ndim == 3 else samples.normals)
    return preview.side_by_side(image, *(_drawn(each[row], valid) for each in maps))


def _drawn(values: Tensor, valid: np.ndarray) -> np.ndarray:
    if values.ndim == 2:
        return preview.depth_preview(values.numpy(), valid)
    return preview.normals_preview(values.permute(1, 2, 0).contiguous().numpy(), valid)
