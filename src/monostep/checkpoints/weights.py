"""Weights of one part of a model: safetensors in and out, with errors that name the file."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from monostep.errors import CheckpointError
from monostep.files.atomic import replacing

NAME = "diffusion_pytorch_model.safetensors"


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; CheckpointError if it is missing or broken."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; the checkpoint is incomplete")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: not a whole safetensors file ({error}); copy or download it again"
        ) from error


def write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors atomically, with the format note that diffusers expects."""
    with replacing(path) as temporary:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(whole, temporary, metadata={"format": "pt"})


def put(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Give a module its weights, strictly; CheckpointError for any that is missing, odd or NaN."""
    expected = {name: tensor.shape for name, tensor in module.state_dict().items()}
    missing, extra = sorted(expected.keys() - tensors), sorted(tensors.keys() - expected)
    if missing or extra:
        raise CheckpointError(
            f"{path}: {len(missing)} weights missing (first: {_first(missing)}), "
            f"{len(extra)} unknown (first: {_first(extra)}); it belongs to another network"
        )
    for name, tensor in tensors.items():
        if tensor.shape != expected[name]:
            raise CheckpointError(
                f"{path}: {name} has shape {tuple(tensor.shape)}, expected {tuple(expected[name])}"
            )
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} is not finite everywhere; the file is broken")
    module.load_state_dict(tensors, strict=True)


def _first(names: list[str]) -> str:
    return names[0] if names else "none"
