"""The resumable state of a run: one safetensors file, replaced atomically.

Data order and flips are functions of the step, so weights, Adam's moments and the step are all
there is to keep: no random generator has a history.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from monostep.errors import TrainingError
from monostep.files.atomic import replacing


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: optimiser steps taken, and the best validation score so far."""

    step: int
    best: float | None


def save(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    """Write weights, moments and progress; a crash leaves the previous file whole."""
    tensors = {}
    for name, parameter in module.named_parameters():
        tensors[f"weight/{name}"] = parameter.detach().contiguous()
        for moment, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{moment}/{name}"] = value.contiguous()
    with replacing(path) as temporary:
        about = {"progress": json.dumps({"step": progress.step, "best": progress.best})}
        save_file(tensors, temporary, metadata=about)


def restore(path: Path, module: nn.Module, optimiser: torch.optim.Optimizer) -> Progress:
    """Put weights and moments back; TrainingError for a file that is not this run's state."""
    tensors, progress = _read(path)
    _put_weights(path, tensors, module)
    for name, parameter in module.named_parameters():
        optimiser.state[parameter] = _moments(tensors, name, parameter)
    return progress


def load_weights(path: Path, module: nn.Module) -> None:
    """Give a module the last weights of a run; TrainingError as for `restore`."""
    _put_weights(path, _read(path)[0], module)


def _read(path: Path) -> tuple[dict[str, torch.Tensor], Progress]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, Progress(**json.loads(file.metadata()["progress"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{path}: not a readable training state ({error}); "
            "remove the run's folder to start again"
        ) from error


def _put_weights(path: Path, tensors: dict[str, torch.Tensor], module: nn.Module) -> None:
    weights = {name.partition("/")[2] for name in tensors if name.startswith("weight/")}
    expected = {name for name, _ in module.named_parameters()}
    if weights != expected:
        raise TrainingError(
            f"{path}: holds other weights than this recipe trains "
            f"({len(weights)} tensors, expected {len(expected)}); resume with the run's own recipe"
        )
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(tensors[f"weight/{name}"])


def _moments(
    tensors: dict[str, torch.Tensor], name: str, parameter: nn.Parameter
) -> dict[str, torch.Tensor]:
    moments = {}
    for moment in ("step", "exp_avg", "exp_avg_sq"):
        value = tensors.get(f"{moment}/{name}")
        if value is not None:
            moments[moment] = (
                value if moment == "step" else torch.empty_like(parameter).copy_(value)
            )
    return moments
