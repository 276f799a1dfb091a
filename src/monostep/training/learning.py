"""All that an optimiser step changes, as named tensors, and back.

weight/NAME             what learns
exp_avg/NAME, ...       the optimiser's moments of it
average/NAME            moving average of the weights, if there is one
PREFIX/NAME             what else the task carries from step to step
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from monostep.errors import TrainingError
from monostep.training import moments

WEIGHT = "weight"
Tensors = dict[str, Tensor]


@runtime_checkable
class Carried(Protocol):
    """What has tensors of its own from step to step, such as a moving average."""

    def state_dict(self) -> dict[str, Any]:
        """The tensors by name."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Put them back."""
        ...


@dataclass(frozen=True, kw_only=True)
class Learning:
    """All that a step changes; `others` by the prefix of their tensors."""

    trained: nn.Module
    optimiser: torch.optim.Optimizer
    others: Mapping[str, Carried]

    def tensors(self) -> Tensors:
        """Everything by its name; not copied."""
        found = {}
        for name, parameter in learning(self.trained).items():
            found[f"{WEIGHT}/{name}"] = parameter.detach()
            carried = moments.carried(self.optimiser, parameter)
            found |= {f"{moment}/{name}": value for moment, value in carried.items()}
        for prefix, carried in self.others.items():
            found |= {f"{prefix}/{name}": value for name, value in carried.state_dict().items()}
        return found

    def put_back(self, tensors: Tensors, path: Path) -> None:
        """Everything as it was; TrainingError, naming the file, if these are of other weights.

        Tensors that are whole are laid out, placed and spread as those here are.
        """
        put_weights(tensors, self.trained, path)
        for prefix, carried in self.others.items():
            own = carried.state_dict()
            stored = _under(tensors, prefix)
            carried.load_state_dict({k: _like(v, own.get(k, v)) for k, v in stored.items()})
        kinds = sorted({name.partition("/")[0] for name in tensors} - {WEIGHT, *self.others})
        for name, parameter in learning(self.trained).items():
            own = {kind: tensors[f"{kind}/{name}"] for kind in kinds if f"{kind}/{name}" in tensors}
            laid_out = {kind: _like(value, parameter) for kind, value in own.items()}
            moments.give_back(self.optimiser, parameter, laid_out)


def put_weights(tensors: Tensors, module: nn.Module, path: Path) -> None:
    """Give a module its weights back; TrainingError, naming the file, if there are others."""
    weights = _under(tensors, WEIGHT)
    expected = learning(module)
    if weights.keys() != expected.keys():
        raise TrainingError(
            f"{path}: holds other weights than this recipe trains "
            f"({len(weights)} tensors, expected {len(expected)}); resume with the run's own recipe"
        )
    with torch.no_grad():
        for name, parameter in expected.items():
            parameter.copy_(_like(weights[name], parameter))


def learning(module: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of a module that learn, by name."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def _under(tensors: Tensors, prefix: str) -> Tensors:
    start = f"{prefix}/"
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}


def _like(value: Tensor, other: Tensor) -> Tensor:
    """The value where `other` is, and laid out and spread like it if they have one shape."""
    if isinstance(value, DTensor):
        return value
    if value.shape != other.shape:
        return value.to(other.device)
    if isinstance(other, DTensor):
        return distribute_tensor(value.to(other.device), other.device_mesh, other.placements)
    return torch.empty_like(other, dtype=value.dtype).copy_(value)
