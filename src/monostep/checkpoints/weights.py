"""Weights of one part of a model: safetensors or PyTorch's own files in, safetensors out.

Errors name the file. Nothing is ever unpickled but tensors, and a large network is filled tensor
by tensor, so that reading it takes little more memory than holding it.
"""

import pickle
import struct
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from monostep.checkpoints.old_names import modern
from monostep.errors import CheckpointError, OutputError
from monostep.files.atomic import replacing

NAME = "diffusion_pytorch_model.safetensors"
# What torch.load raises on bytes that are no tensors, besides pickle's own error.
UNREADABLE = (
    *(OSError, RuntimeError, EOFError, ValueError, LookupError, AttributeError),
    *(TypeError, AssertionError, struct.error),
)
SMALL = 64 << 20  # bytes of a file of which all may be in memory at once
POINTER = b"version https://git-lfs"  # what a git-lfs pointer file begins with


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file as stored; CheckpointError if it is missing or broken."""
    _check_is_weights(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _broken(path, "safetensors", error) from error


def stream(path: Path, *, copy: bool = True) -> Iterator[tuple[str, Tensor]]:
    """Name and float32 copy of every tensor of a file, one after the other.

    Without `copy` a safetensors file's tensors come as they are stored and stay in the file until
    they are looked at; each can be let go of by itself.

    Raises:
        CheckpointError: the file is missing, broken or holds anything but tensors.
    """
    _check_is_weights(path)
    yield from (
        _stream_pickle(path) if path.suffix == ".bin" else _stream_safetensors(path, copy=copy)
    )


def one(path: Path, name: str) -> Tensor:
    """A tensor of a safetensors file, which stays in the file until it is looked at."""
    try:
        with safe_open(path, framework="pt") as file:
            return file.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise _broken(path, "safetensors", error) from error


def fill(
    module: nn.Module, files: Iterable[Path], *, copy: bool = True, unused: Container[str] = ()
) -> None:
    """Give a module (on the meta device or not) the weights that its files hold together.

    Without `copy` they are as in `stream`, and nobody has looked whether they are finite. Tensors
    with an `unused` name may be there, and are left.

    Raises:
        CheckpointError: a file is broken, or a weight missing, unknown, of another shape or NaN.
    """
    expected = {name: tensor.shape for name, tensor in module.state_dict().items()}
    found: dict[str, Tensor] = {}
    origin: dict[str, Path] = {}
    for path in (files := tuple(files)):
        for stored, tensor in stream(path, copy=copy):
            if stored in unused:
                continue
            name, found_tensor = modern(stored, tensor, expected)
            found[name], origin[name] = found_tensor, path
    _check_names(found.keys(), expected.keys(), files[0])
    for name, tensor in found.items():
        _check(name, tensor, expected[name], origin[name], finite=copy)
    module.load_state_dict(found, strict=True, assign=True)


def write(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors atomically, with the format note that diffusers expects and other metadata.

    Raises:
        OutputError: the file cannot be written.
    """
    with replacing(path) as temporary:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        try:
            save_file(whole, temporary, metadata={"format": "pt", **(metadata or {})})
        except SafetensorError as error:
            reason = str(error).removeprefix("Error while serializing: ")
            raise OutputError(
                f"{path}: cannot be written ({reason}); check the folder's permissions and space"
            ) from error


def _stream_safetensors(path: Path, *, copy: bool) -> Iterator[tuple[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            # Pages of a file count as memory until it is closed, so a large one is opened for each.
            small = {n: file.get_tensor(n) for n in names if path.stat().st_size < SMALL}
        for name in names:
            tensor = small[name] if small else one(path, name)
            yield name, tensor.to(torch.float32, copy=True) if copy else tensor
    except (SafetensorError, OSError) as error:
        raise _broken(path, "safetensors", error) from error


def _stream_pickle(path: Path) -> Iterator[tuple[str, Tensor]]:
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise _broken(path, "PyTorch", error) from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: holds more than tensors, or is cut short; not loaded, since such a file can "
            "run code: convert it to safetensors on a machine you can lose, or download it again"
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise CheckpointError(f"{path}: not a mapping of names to tensors; use the model's weights")
    for name in list(tensors):
        yield name, tensors.pop(name).to(torch.float32, copy=True)


def _check_is_weights(path: Path) -> None:
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; the checkpoint is incomplete")
    with path.open("rb") as file:
        pointer = file.read(len(POINTER)) == POINTER
    if pointer:
        raise CheckpointError(
            f"{path}: a git-lfs pointer, not the weights; run `git lfs pull` where it was cloned"
        )


def _check_names(found: Iterable[str], expected: Iterable[str], path: Path) -> None:
    missing, extra = sorted({*expected} - {*found}), sorted({*found} - {*expected})
    if missing or extra:
        raise CheckpointError(
            f"{path}: {len(missing)} weights missing (first: {_first(missing)}), "
            f"{len(extra)} unknown (first: {_first(extra)}); it belongs to another network"
        )


def _check(name: str, tensor: Tensor, shape: torch.Size, path: Path, *, finite: bool) -> None:
    if tensor.shape != shape:
        raise CheckpointError(
            f"{path}: {name} has shape {tuple(tensor.shape)}, expected {tuple(shape)}"
        )
    if finite and not torch.isfinite(tensor).all():
        raise CheckpointError(
            f"{path}: {name} is not finite everywhere; the file is broken, copy or download it "
            "again"
        )


def _broken(path: Path, kind: str, error: Exception) -> CheckpointError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return CheckpointError(f"{path}: not a whole {kind} file ({reason}); copy or download it again")


def _first(names: list[str]) -> str:
    return names[0] if names else "none"
