"""A state whose tensors are spread over processes: a folder, each process its part.

It can be read by any number of processes, by one alone, too.
"""

import shutil
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from monostep.errors import InputError, OutputError, TrainingError
from monostep.files.atomic import read_json, write_json
from monostep.training.world import World

UNFINISHED, PROGRESS = "unfinished", "progress.json"
# The folder's table of contents is torch's, a pickle: read only what your own runs wrote.
UNPICKLING = (UnpicklingError, EOFError, AttributeError, ImportError, LookupError, ValueError)
UNREADABLE = (OSError, InputError, *UNPICKLING)
Tensors = dict[str, Tensor]


def save(place: Path, tensors: Tensors, progress: dict[str, Any], world: World) -> None:
    """Write a folder that appears whole or not at all; all processes must call it.

    Raises:
        OutputError: the disk is full, or the folder cannot be written.
    """
    from torch.distributed.checkpoint.api import CheckpointException
    from torch.distributed.checkpoint.state_dict_saver import save as save_parts

    unfinished = place.with_name(UNFINISHED)
    with world.together("for a state to be saved"):
        if world.leads:
            shutil.rmtree(unfinished, ignore_errors=True)
    try:
        save_parts({"tensors": tensors}, checkpoint_id=unfinished)
    except (OSError, CheckpointException) as error:  # on every process, if on one
        raise OutputError(f"{place}: cannot be written ({_first(error)}); make room") from error
    with world.together("for a state to be complete"):
        if world.leads:
            write_json(unfinished / PROGRESS, progress)
            _replace(place, unfinished)


def load(place: Path, tensors: Tensors, trained: nn.Module) -> tuple[Tensors, dict[str, Any]]:
    """The tensors of a folder, spread as those of `trained` are; and the progress.

    Args:
        place: the folder.
        tensors: by their names in the folder, what there is already; moments need not be.
        trained: the weights that other tensors belong to and are spread like.

    Raises:
        TrainingError: the folder is broken.
    """
    from torch.distributed.checkpoint.api import CheckpointException
    from torch.distributed.checkpoint.filesystem import FileSystemReader
    from torch.distributed.checkpoint.state_dict_loader import load as load_parts

    try:
        progress = read_json(place / PROGRESS)
        stored = FileSystemReader(place).read_metadata().state_dict_metadata
        room = _room([name.removeprefix("tensors.") for name in stored], tensors, trained)
        with warnings.catch_warnings():  # one process alone is what torch warns of
            warnings.filterwarnings("ignore", message="torch.distributed is disabled")
            load_parts({"tensors": room}, checkpoint_id=place)
    except (*UNREADABLE, CheckpointException) as error:
        raise TrainingError(f"{place}: {_first(error)}") from error
    return room, progress


def _replace(place: Path, unfinished: Path) -> None:
    try:
        if place.exists():
            shutil.rmtree(place)
        unfinished.rename(place)
    except OSError as error:
        raise OutputError(f"{place}: cannot be written ({error})") from error


def _first(error: BaseException) -> str:
    """What went wrong, in one line: torch wraps each process's error with its trace."""
    failures = getattr(error, "failures", None)
    cause = next(iter(failures.values()))[0] if failures else error
    return " ".join(str(cause).split())


def _room(names: list[str], tensors: Tensors, trained: nn.Module) -> Tensors:
    parameters = dict(trained.named_parameters())
    room = {}
    for name in names:
        moment, _, parameter = name.partition("/")
        if name in tensors:
            room[name] = torch.empty_like(tensors[name])
        elif moment == "step":
            room[name] = torch.zeros(())
        elif parameter in parameters:
            room[name] = torch.zeros_like(parameters[parameter].detach())
        else:
            raise TrainingError(f"holds {name}, which this recipe does not train")
    return room
