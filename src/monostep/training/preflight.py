"""What is looked at before the first step, while nothing can be harmed yet."""

import copy
import math
import shutil
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor, nn

from monostep.errors import TrainingError
from monostep.training import mixture, precision
from monostep.training.batch import Batch
from monostep.training.config import TrainConfig
from monostep.training.learning import learning
from monostep.training.optimiser import class_weights, new_optimiser
from monostep.training.source import Source
from monostep.training.task import Task, carried, needs_truth

FALL = 0.5  # of its first value the loss on one batch must fall to, if `overfit` is asked for
MOMENTS = 2  # tensors that Adam keeps for each weight
RESERVE = 2**28  # bytes for logs, pictures and the model's small files


def check_weights(task: Task) -> None:
    """Something learns, in float32, and the frozen rest does not share it.

    Raises:
        TrainingError: nothing learns, or half-precision weights would: small steps vanish in them.
    """
    if not any(parameter.requires_grad for parameter in task.trained.parameters()):
        raise TrainingError("nothing learns: every weight of the trained part is frozen")
    precision.check_master(task.trained)


def check_gradient(task: Task, config: TrainConfig, batch: Batch) -> None:
    """The loss of one batch reaches every weight that learns and no other.

    Leaves no gradient behind.

    Raises:
        TrainingError: the loss is not connected to the weights (as under `no_grad` around the
            decoder), or to some of them, or changes frozen ones, or is not finite.
    """
    if needs_truth(task) and not batch.samples.valid.any():
        raise TrainingError(
            f"no pixel of the first batch is valid: {_of(batch)}; look at its masks"
        )
    device = next(task.trained.parameters()).device
    with precision.autocast(config.precision, device):
        loss = task.loss(batch).mean()
    if not math.isfinite(loss.item()):
        raise TrainingError(f"the loss of the first batch is {loss.item()}: {_of(batch)}")
    if not loss.requires_grad:
        raise TrainingError(
            "the loss is not connected to the weights: something between them runs without gradient"
        )
    loss.backward()
    try:
        _check_reach(task, batch)
    finally:
        for parameter in (*task.trained.parameters(), *task.model.parameters()):
            parameter.grad = None


def _check_reach(task: Task, batch: Batch) -> None:
    learns = learning(task.trained)
    missed = [name for name, p in learns.items() if p.grad is None]
    if missed:
        raise TrainingError(
            f"the gradient does not reach {len(missed)} of {len(learns)} tensors that should "
            f"learn, such as {missed[0]}"
        )
    for name, parameter in learns.items():
        if not parameter.grad.isfinite().all():  # pyright: ignore[reportOptionalMemberAccess]
            raise TrainingError(f"the gradient of {name} is not finite: {_of(batch)}")
    ours = {id(parameter) for parameter in learns.values()}
    others = task.model.named_parameters()
    wrong = [name for name, p in others if p.grad is not None and id(p) not in ours]
    if wrong:
        raise TrainingError(f"the gradient reaches frozen weights, such as {wrong[0]}")


def overfit(task: Task, config: TrainConfig, batch: Batch) -> tuple[float, float]:
    """Learn one batch for `config.overfit` steps; first and last loss. The weights stay as before.

    Raises:
        TrainingError: the loss did not fall to half: the network cannot learn even one batch.
    """
    before = copy.deepcopy(task.trained.state_dict())
    optimiser = new_optimiser(
        task.trained.parameters(), config, of_class=class_weights(task.trained)
    )
    device = next(task.trained.parameters()).device
    scaler = precision.loss_scaler(config.precision, device)
    losses = []
    for _ in range(config.overfit):
        optimiser.zero_grad(set_to_none=True)
        with precision.autocast(config.precision, device):
            loss = task.loss(batch).mean()
        scaler.scale(loss).backward()
        scaler.unscale_(optimiser)
        nn.utils.clip_grad_norm_(task.trained.parameters(), config.clip)
        scaler.step(optimiser)
        scaler.update()
        losses.append(loss.item())
    optimiser.zero_grad(set_to_none=True)
    task.trained.load_state_dict(before)
    first, last = losses[0], losses[-1]
    if not last <= FALL * first:
        raise TrainingError(
            f"{config.overfit} steps on one batch brought its loss from {first:.3g} to {last:.3g}, "
            f"expected at most half; raise learning_rate or overfit, or look at {_of(batch)}"
        )
    return first, last


def check_disk(task: Task, config: TrainConfig, run: Path) -> None:
    """There is room for the states that are kept, one being written, and the result.

    Raises:
        TrainingError: there is not.
    """
    learns = _bytes(learning(task.trained).values())
    carries = sum(_bytes(module.parameters()) for module in carried(task).values())
    state = (1 + MOMENTS + (config.average > 0)) * learns + carries
    needed = (config.keep + 1) * state + 2 * _bytes(task.model.parameters()) + RESERVE
    place = next(parent for parent in (run, *run.absolute().parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise TrainingError(
            f"{run}: {free / 1e9:.1f} GB are free, the run needs {needed / 1e9:.1f} GB for "
            f"{config.keep} states and its result; make room, or lower keep"
        )


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def plan(config: TrainConfig, sources: list[Source]) -> list[str]:
    """Lines that say what the run will do: images, epochs, and what looks like a slip."""
    images = sum(config.phase(step)[3] for step in range(config.last)) * config.accumulate
    batch = config.phases[-1][3]
    lengths = [math.ceil(source.count / batch) for source in sources]
    epoch = mixture.epoch(lengths, config.round) * batch
    shares = ":".join(map(str, config.round))
    found = ", ".join(
        f"{name} ({source.count} images)"
        for name, source in zip(config.sources, sources, strict=False)
    )
    lines = [
        f"{config.last} steps of {config.accumulate} x {batch} images from {found}"
        + (f" in shares {shares}" if len(sources) > 1 else "")
        + f": {images} images, {images / max(epoch, 1):.3g} epochs"
    ]
    if config.warmup >= config.steps:
        lines.append(
            f"note: warmup {config.warmup} is not below steps {config.steps}: "
            "the learning rate stays below its peak"
        )
    return lines


def _of(batch: Batch) -> str:
    return f"images {', '.join(batch.names)}"
