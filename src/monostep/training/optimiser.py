"""The optimisers and the papers' learning rate."""

import math
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from monostep.errors import MissingExtraError, TrainingError
from monostep.training.config import TrainConfig

FUSED = {"cpu", "cuda"}  # devices on which torch updates a weight in one pass
CLASS = "class_embedding.linear"  # of the UNet; an image encoder's class token is no such layer
RATE = "rate"  # of a group, in rates of the config


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


def class_weights(trained: nn.Module) -> list[nn.Parameter]:
    """The weights of a UNet's class embedding; none where it has none or does not learn them."""
    return [p for name, p in trained.named_parameters() if CLASS in name and p.requires_grad]


def new_optimiser(
    parameters: Iterable[nn.Parameter], config: TrainConfig, *, of_class: Sequence[Tensor] = ()
) -> torch.optim.Optimizer:
    """The config's optimiser of those parameters that require a gradient.

    Those `of_class` learn at the config's `class_rate` times the others' rate, if it has one.

    "adamw" decays the weights themselves (E2E-FT); "adam" adds the decay to the gradient, and
    without decay is that of Marigold's first stage; "adamw8bit" keeps moments in 8 bits
    (Dettmers et al., ICLR 2022), a quarter of their memory. The rate is set before every step.

    Raises:
        TrainingError: no parameter requires a gradient.
        MissingExtraError: "adamw8bit" without bitsandbytes.
    """
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    if not learning:
        raise TrainingError(
            "no weight requires a gradient, expected at least one: nothing would be learned"
        )
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "adamw8bit": _eight_bit}
    # In the rounding, fused differs from the other forms: by up to 3e-7 of a weight.
    fused = {parameter.device.type for parameter in learning} <= FUSED
    return kinds[config.optimiser](
        _groups(learning, config, of_class),
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        weight_decay=config.weight_decay,
        **({} if config.optimiser == "adamw8bit" else {"fused": fused}),
    )


def set_learning_rate(optimiser: torch.optim.Optimizer, config: TrainConfig, step: int) -> float:
    """Give the optimiser the rate of this step, each group its multiple of it, and return it."""
    rate = config.learning_rate * learning_rate_fraction(
        step, total=config.steps, warmup=config.warmup, final_fraction=config.final_fraction
    )
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get(RATE, 1.0)
    return rate


def _groups(
    learning: Sequence[nn.Parameter], config: TrainConfig, of_class: Sequence[Tensor]
) -> list[dict[str, Any]]:
    """One group, or two if some learn at another rate, which `RATE` says in rates of the config."""
    faster = getattr(config, "class_rate", 1.0)
    apart = {id(parameter) for parameter in of_class} if faster != 1 else set()
    rest = {"params": [p for p in learning if id(p) not in apart]}
    if not apart:
        return [rest]
    others = [p for p in learning if id(p) in apart]
    return [rest, {"params": others, RATE: faster, "lr": faster * config.learning_rate}]


def _eight_bit(parameters: list[dict[str, Any]], **settings: Any) -> torch.optim.Optimizer:
    try:
        return import_module("bitsandbytes.optim").AdamW8bit(parameters, **settings)
    except ImportError as error:
        raise MissingExtraError(
            f"optimiser adamw8bit cannot be used ({error}); choose adamw, or install "
            "monostep[eight-bit]"
        ) from error
