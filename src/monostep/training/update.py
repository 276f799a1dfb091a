"""One optimiser step: the gradients of its pieces, a look at them, the change of the weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.distributed.tensor import DTensor

from monostep.training import precision
from monostep.training.batch import Batch
from monostep.training.config import TrainConfig
from monostep.training.leaving import Leave
from monostep.training.optimiser import set_learning_rate
from monostep.training.parallel import exchanging
from monostep.training.world import World


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a step saw: mean loss over all processes, norm of the gradient before clipping."""

    loss: float
    norm: float
    rate: float
    names: tuple[str, ...]  # of the images that a skipped step leaves out; none if it was taken
    leave: bool  # some process was asked to stop


@dataclass(frozen=True, kw_only=True)
class Updater:
    """Takes optimiser steps."""

    loss: nn.Module  # the task's, as `parallel.spread` returns it
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    config: TrainConfig
    world: World

    def take(self, step: int, pieces: Sequence[Batch], *, leave: Leave) -> Taken:
        """Step number `step` (from 0) from this process's pieces of it.

        The weights stay as they are if the loss or the gradient is not finite on any process.
        """
        rate = set_learning_rate(self.optimiser, self.config, step)
        self.optimiser.zero_grad(set_to_none=True)
        with self.world.connected(f"in step {step + 1}"):
            losses = [self._backward(each, pieces) for each in pieces]
            self.scaler.unscale_(self.optimiser)
            norm = self._clip()
        wild = not math.isfinite(norm)
        total, wild, leaving = self.world.total(sum(losses), float(wild), float(leave.asked))
        mean = total / self.world.size
        # Too large for fp16 only: the scaler leaves the step out and tries a smaller scale.
        overflow = self.scaler.is_enabled() and math.isfinite(mean) and wild and self._can_shrink()
        taken = overflow or (math.isfinite(mean) and not wild)
        if taken:
            self.scaler.step(self.optimiser)
        self.scaler.update()
        names = () if taken else self._suspects(pieces, losses)
        return Taken(loss=mean, norm=norm, rate=rate, names=names, leave=leaving > 0)

    def _backward(self, piece: Batch, pieces: Sequence[Batch]) -> float:
        """Adds a piece's share of the gradient; returns its share of this process's loss."""
        with exchanging(self.loss, piece is pieces[-1]):
            with precision.autocast(self.config.precision, self.world.device):
                loss = self.loss(piece.to(self.world.device)).mean() / len(pieces)
            self.scaler.scale(loss).backward()
        return loss.item()

    def _clip(self) -> float:
        learning = [p for group in self.optimiser.param_groups for p in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(learning, self.config.clip)
        return (norm.full_tensor() if isinstance(norm, DTensor) else norm).item()

    def _can_shrink(self) -> bool:
        return self.scaler.get_scale() >= 1

    def _suspects(self, pieces: Sequence[Batch], losses: Sequence[float]) -> tuple[str, ...]:
        """The images whose loss is not finite, on all processes; if none, all of the step."""
        broken = [p for p, loss in zip(pieces, losses, strict=True) if not math.isfinite(loss)]
        found = self.world.gather([name for piece in broken for name in piece.names])
        if not any(found):
            found = self.world.gather([name for piece in pieces for name in piece.names])
        return tuple(name for names in found for name in names)
