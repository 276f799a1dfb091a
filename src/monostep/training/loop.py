"""The loop: data, loss, gradient, step; validation and checkpoints on the way."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import nn
from torch.utils.data import DataLoader

from monostep.data.samples import Samples
from monostep.errors import TrainingError
from monostep.training import source, state
from monostep.training.config import TrainConfig
from monostep.training.journal import Journal
from monostep.training.optimiser import adamw, set_learning_rate
from monostep.training.order import MicroBatches, micro_batch
from monostep.training.state import Progress
from monostep.training.step import PerImage

STATE = "state.safetensors"


@runtime_checkable
class Task(Protocol):
    """What the loop must know of a task; scores are better when lower."""

    metric: str

    @property
    def trained(self) -> nn.Module:
        """The part that learns."""
        ...

    def loss(self, samples: Samples, *, step: int) -> PerImage:
        """Loss of each image at an optimiser step (from 0)."""
        ...

    def score(self, samples: Samples) -> PerImage:
        """Validation error of each image."""
        ...


@runtime_checkable
class Keeper(Protocol):
    """Stores the model as the run's result."""

    def __call__(self, *, step: int, score: float) -> None:
        """Keep the model as it is now: it is the best so far."""
        ...


def run(task: Task, config: TrainConfig, folder: Path, keep: Keeper) -> Progress:
    """Train to the last step, from the state in `folder` if there is one.

    Writes `state.safetensors` and `log.jsonl`, and calls `keep` at every best validation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    optimiser = adamw(task.trained.parameters(), config)
    path = folder / STATE
    progress = Progress(step=0, best=None)
    if path.exists():
        progress = state.restore(path, task.trained, optimiser)
    with Journal(folder / "log.jsonl", total=config.last, start=progress.step) as journal:
        batches = _batches(config, progress.step)
        for step in range(progress.step, config.last):
            rate = set_learning_rate(optimiser, config, step)
            loss, norm = _update(task, optimiser, config, step, batches)
            journal.advance(images=config.accumulate * config.phase(step)[3])
            done = step + 1
            if done % config.log_every == 0 or done == config.last:
                speed = journal.images_per_second
                journal.record(
                    step=done, loss=loss, gradient_norm=norm, rate=rate, images_per_second=speed
                )
            if done % config.validate_every == 0 or done == config.last:
                progress = _validate(task, config, journal, progress, done, keep)
            if done % config.checkpoint_every == 0 or done == config.last:
                progress = Progress(step=done, best=progress.best)
                state.save(path, task.trained, optimiser, progress)
    return progress


def _batches(config: TrainConfig, step: int) -> Iterator[Samples]:
    data = MicroBatches(config)
    return iter(
        DataLoader(
            data,
            batch_size=None,
            sampler=range(step * config.accumulate, len(data)),
            num_workers=config.workers,
            collate_fn=_as_is,  # pyright: ignore[reportArgumentType] - no list: batch_size is None
        )
    )


def _as_is(samples: Samples) -> Samples:
    return samples


def _update(
    task: Task,
    optimiser: torch.optim.Optimizer,
    config: TrainConfig,
    step: int,
    batches: Iterator[Samples],
) -> tuple[float, float]:
    """One optimiser step; returns the mean loss and the gradient's norm before clipping."""
    optimiser.zero_grad(set_to_none=True)
    device = _device(task)
    total = 0.0
    for _ in range(config.accumulate):
        with _precision(config, device):
            loss = task.loss(next(batches).to(device), step=step).mean() / config.accumulate
        loss.backward()
        total += loss.item()
    norm = torch.nn.utils.clip_grad_norm_(task.trained.parameters(), config.clip).item()
    if not (torch.isfinite(torch.tensor(total)) and torch.isfinite(torch.tensor(norm))):
        first = step * config.accumulate
        scenes = [micro_batch(config, first + k).indices for k in range(config.accumulate)]
        raise TrainingError(
            f"step {step + 1}: loss {total}, gradient norm {norm}; nothing was changed by it. "
            f"Scenes {scenes} of seed {config.scene_seed}; try a lower learning_rate "
            "or precision=fp32"
        )
    optimiser.step()
    return total, norm


def _validate(
    task: Task,
    config: TrainConfig,
    journal: Journal,
    progress: Progress,
    step: int,
    keep: Keeper,
) -> Progress:
    score = validate(task, config)
    if not math.isfinite(score):
        raise TrainingError(f"step {step}: validation {task.metric} is {score}; resume from before")
    journal.record(step=step, validation=score, metric=task.metric)
    if progress.best is not None and score >= progress.best:
        return progress
    keep(step=step, score=score)
    return Progress(step=progress.step, best=score)


@torch.no_grad()
def validate(task: Task, config: TrainConfig) -> float:
    """Mean score on the validation images, at the last phase's size."""
    _, height, width, images = config.phases[-1]
    scenes, count = source.validation(config)
    device = _device(task)
    scores = []
    for first in range(0, count, images):
        rows = range(first, min(first + images, count))
        with _precision(config, device):
            scores.append(task.score(scenes.fetch(rows, (height, width)).to(device)))
    return torch.cat(scores).mean().item()


def _device(task: Task) -> torch.device:
    return next(task.trained.parameters()).device


def _precision(config: TrainConfig, device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16")
