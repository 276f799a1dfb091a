"""Who stands for a row of the paper's tables: its checkpoint, or a folder of predictions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from monostep.checkpoints.opening import Checkpoint
from monostep.evaluation import enter
from monostep.evaluation.enter import Declared
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.papers.published_row import Row
from monostep.loading import open_checkpoint
from monostep.runner.models import Loading


def why_absent(key: str, row: Row) -> str:
    """How to get numbers of a row that monostep cannot run."""
    note = f"{row.note}; " if row.note else ""
    if row.how == "predictions":
        return f"{key}: {note}its predictions are scored with --predictions {key}=DIR"
    if row.run is not None:
        return (
            f"{key}: {note}{row.run.train} -o RUN makes one, and --weights DIR finds it as "
            f"DIR/{key}"
        )
    return f"{key}: {note}published only"


def of_checkpoint(
    found: Checkpoint, row: Row, how: Loading, *, seed: int | None, batch_size: int
) -> Entrants:
    """The row's checkpoint, loaded, with the row's settings.

    Raises:
        CheckpointError: its weights cannot be read.
        SettingError: it cannot be run in this way.
    """
    model = open_checkpoint(found, device=how.device, dtype=how.dtype, max_memory=how.max_memory)
    # "clean" is what the authors' evaluation took from the last step of every model.
    asked: dict[str, Any] = {"last": "clean", "seed": seed}
    asked |= {name: getattr(row.run, name) for name in ("steps", "ensemble", "noise", "spacing")}
    return Entrants(models=[model], asked=asked, batch_size=batch_size)


def of_predictions(key: str, row: Row, folder: Path, declared: Declared) -> Entrants:
    """A folder of what another program predicted; depth is the row's quantity unless declared.

    Raises:
        InputError: no such folder.
        SettingError: a declaration that means nothing for the row's task.
    """
    if row.task == "depth":
        declared = replace(declared, task="depth", quantity=declared.quantity or row.quantity)
    else:
        declared = replace(declared, task="normals")
    return Entrants(stored=enter.predictions([f"{key}={folder}"], declared, []))
