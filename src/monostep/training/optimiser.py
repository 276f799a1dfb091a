"""AdamW and the paper's learning rate."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from monostep.training.config import TrainConfig


def learning_rate_fraction(
    step: int, *, total: int, warmup: int = 100, final_fraction: float = 0.01
) -> float:
    """Share of the peak learning rate at a step (from 0): linear up, then exponential down.

    Source: E2E-FT's IterExponential: n / warmup below the warm-up, `final_fraction` at `total`.
    Its first step, n = 0, has rate 0 and only fills Adam's moments.
    """
    if step < warmup:
        return step / warmup
    if step >= total:
        return final_fraction
    return math.exp((step - warmup) / (total - warmup) * math.log(final_fraction))


def adamw(parameters: Iterable[nn.Parameter], config: TrainConfig) -> torch.optim.AdamW:
    """AdamW with the config's settings; the rate is set before every step."""
    return torch.optim.AdamW(
        parameters,
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        weight_decay=config.weight_decay,
    )


def set_learning_rate(optimiser: torch.optim.Optimizer, config: TrainConfig, step: int) -> float:
    """Give the optimiser the rate of this step, and return it."""
    rate = config.learning_rate * learning_rate_fraction(
        step, total=config.steps, warmup=config.warmup, final_fraction=config.final_fraction
    )
    for group in optimiser.param_groups:
        group["lr"] = rate
    return rate
