"""Measuring on the images that are held out, shared over the processes, and drawing some."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
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
from monostep.training.task import Predicted, Task, measured, summed_up
from monostep.training.world import World

Chunk = tuple[Source, range]
TRUTHS = {"mean_angle_deg": "true normal"}  # what a metric needs, unless it is a valid pixel


@torch.no_grad()
def scores(task: Task, config: TrainConfig, world: World) -> dict[str, float]:
    """Means over the validation images, at the last phase's size; nan where any is nan.

    The task's score under the name of its metric, and its parts if it has any. Each is a mean over
    the images that have the truth it needs. Raises TrainingError if there are none.
    """
    every = list(_chunks(config))
    mine = every[world.rank :: world.size]
    sums: defaultdict[str, float] = defaultdict(float)
    counts: defaultdict[str, int] = defaultdict(int)
    # With shared-out weights all processes must call the network equally often.
    for turn in range(math.ceil(len(every) / world.size)):
        mine_too = turn < len(mine)
        samples = _fetch(mine[turn] if mine_too else every[0], config).to(world.device)
        with precision.autocast(config.precision, world.device):
            found = measured(task, samples)
        for name, each in found.items():
            error = each.error[each.told & mine_too].double()
            sums[name] += error.sum().item()
            counts[name] += len(error)
    totals = world.total(*sums.values(), *counts.values())
    means = zip(sums, totals[: len(sums)], totals[len(sums) :], strict=True)
    return summed_up(task, {name: _mean(name, total, count) for name, total, count in means})


def _mean(metric: str, total: float, count: float) -> float:
    if count == 0:
        raise TrainingError(
            f"no validation image has a {TRUTHS.get(metric, 'valid pixel')} to measure {metric} "
            "on; look at their masks, depth and normals"
        )
    return total / count


@torch.no_grad()
def draw(task: Task, config: TrainConfig, world: World, path: Path) -> None:
    """Image, prediction and truth of a few validation images, one below the other, as a PNG."""
    drawn: list[np.ndarray] = []
    for each, rows in _chunks(config):
        samples = _fetch((each, rows[: config.pictures - len(drawn)]), config)
        with precision.autocast(config.precision, world.device):
            predicted = _maps(task.predict(samples.to(world.device)))
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


def _maps(predicted: Predicted) -> list[Tensor]:
    every = (predicted,) if isinstance(predicted, Tensor) else predicted
    return [each.float().cpu() for each in every]


def _row(samples: Samples, predicted: Sequence[Tensor], row: int) -> np.ndarray:
    image = (samples.image[row] * 255).round().byte().permute(1, 2, 0).numpy()
    valid = samples.valid[row].numpy()
    truths = [samples.depth_m if each.ndim == 3 else samples.normals for each in predicted]
    maps = chain.from_iterable(zip(predicted, truths, strict=True))
    return preview.side_by_side(image, *(_drawn(each[row], valid) for each in maps))


def _drawn(values: Tensor, valid: np.ndarray) -> np.ndarray:
    if values.ndim == 2:
        return preview.depth_preview(values.numpy(), valid)
    return preview.normals_preview(values.permute(1, 2, 0).contiguous().numpy(), valid)
