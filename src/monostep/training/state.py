"""The resumable states of a run: `states/00000250.safetensors`, the newest few.

Data order, flips and noise are functions of the seed and the number of the image, and rates are
of the step, so progress and the tensors of `Learning` are all there is to keep: no generator has
a history. A run whose weights are spread over processes (FSDP2) writes a folder, one part for
each process.
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from monostep.errors import OutputError, TrainingError
from monostep.files.atomic import replacing
from monostep.training import sharded_state
from monostep.training.learning import Learning, Tensors, put_weights
from monostep.training.world import World

FOLDER, ENDING = "states", ".safetensors"
LEFT_OVER = ".*"  # ours and safetensors' own, of a process that was killed while it wrote
BROKEN = (OSError, SafetensorError, KeyError, TypeError, ValueError, TrainingError)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: steps taken, the best score so far, steps that were skipped."""

    step: int
    best: float | None
    skipped: int = 0
    scaler: dict[str, Any] = field(default_factory=dict)  # of the loss, in fp16


def save(run: Path, learning: Learning, progress: Progress, world: World, *, keep: int) -> None:
    """Write the state of a step, then remove all before it but the newest `keep - 1`.

    A crash at any moment leaves the states before it whole. All processes must call it.

    Raises:
        OutputError: the disk is full, or the folder cannot be written.
    """
    tensors = learning.tensors()
    if any(isinstance(tensor, DTensor) for tensor in tensors.values()):
        sharded_state.save(_place(run, progress.step, ""), tensors, asdict(progress), world)
    else:
        with world.together("for a state to be saved"):
            if world.leads:
                _write(_place(run, progress.step, ENDING), tensors, progress)
    if world.leads:
        _tidy(run, progress.step, keep)


def restore(run: Path, learning: Learning, world: World) -> tuple[Progress | None, list[str]]:
    """Put the newest state back that every process finds whole; None if there is none at all.

    Returns:
        The progress of that state, and a line about every broken one that was passed over.

    Raises:
        TrainingError: a whole state of other weights, or broken states only.
    """
    passed_over = []
    for path in world.gather(_newest_first(run))[0]:
        found = _try(path, learning)
        reasons = world.gather(found if isinstance(found, str) else None)
        if reason := next(filter(None, reasons), None):
            passed_over.append(f"{path}: broken, passed over ({reason})")
        elif not isinstance(found, str):
            tensors, progress = found
            learning.put_back(tensors, path)
            return progress, passed_over
    if passed_over:
        raise TrainingError(
            f"no training state can be read: {'; '.join(passed_over)}; bring one back, or remove "
            f"{run / FOLDER} to begin anew"
        )
    return None, []


def exists(run: Path) -> bool:
    """Whether a run has any state, broken ones included."""
    return bool(_newest_first(run))


def load_weights(run: Path, module: nn.Module) -> None:
    """Give a module the last weights of a run; TrainingError if there are none or others."""
    learning = Learning(trained=module, optimiser=_no_optimiser(module), others={})
    for path in _newest_first(run):
        found = _try(path, learning)
        if not isinstance(found, str):
            put_weights(found[0], module, path)
            return
    raise TrainingError(f"{run}: no readable training state in {FOLDER}/")


def _place(run: Path, step: int, ending: str) -> Path:
    return run / FOLDER / f"{step:08d}{ending}"


def _newest_first(run: Path) -> list[Path]:
    named = [path for path in (run / FOLDER).glob("*") if path.stem.isdecimal()]
    return sorted(named, key=lambda path: int(path.stem), reverse=True)


def _write(path: Path, tensors: Tensors, progress: Progress) -> None:
    whole = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    about = {"progress": json.dumps(asdict(progress))}
    with replacing(path) as temporary:
        try:
            save_file(whole, temporary, metadata=about)
        except SafetensorError as error:  # so it says that the disk is full
            raise OutputError(f"{path}: cannot be written ({error}); make room") from error


def _tidy(run: Path, step: int, keep: int) -> None:
    """Remove old states; one of a later step was broken when this run began, and stays."""
    past = [path for path in _newest_first(run) if int(path.stem) <= step]
    for old in (*past[keep:], *(run / FOLDER).glob(LEFT_OVER)):
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()


def _try(path: Path, learning: Learning) -> tuple[dict[str, Tensor], Progress] | str:
    """What a state holds, or why it cannot be read."""
    try:
        return _read(path, learning)
    except BROKEN as error:
        return " ".join(str(error).split())


def _read(path: Path, learning: Learning) -> tuple[Tensors, Progress]:
    if path.is_dir():
        tensors, progress = sharded_state.load(path, learning.tensors(), learning.trained)
        return tensors, Progress(**progress)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, Progress(**json.loads(file.metadata()["progress"]))


def _no_optimiser(module: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(module.parameters(), lr=0.0)
