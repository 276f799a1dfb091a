"""Which models a run uses: at most one for each task."""

from collections.abc import Mapping, Sequence
from typing import Any

from monostep import predictor
from monostep.checkpoints import embedded, folder
from monostep.errors import SettingError
from monostep.predictor import Predictor

SELF_TEST = {"depth": "nano-depth", "normals": "nano-normals"}


def load(
    names: Sequence[str], *, task: str | None, device: str, dtype: str, asked: Mapping[str, Any]
) -> dict[str, Predictor]:
    """Predictors by task; without names those inside the package.

    Args:
        names: embedded models or folders, each of another task.
        task: "depth" or "normals": only this; None: whatever the models predict.
        device: as `monostep.load` takes it.
        dtype: as `monostep.load` takes it.
        asked: keyword settings of `Predictor.__call__` that the models must have.

    Raises:
        SettingError: two models of one task, a model of another task, or a setting it lacks.
        CheckpointError: a model is missing, partial or corrupt.
    """
    if task is not None and task not in SELF_TEST:
        raise SettingError(f"task {task!r}: choose {' or '.join(SELF_TEST)}")
    if not names:
        names = [name for each, name in SELF_TEST.items() if task in (None, each)]
    chosen = _by_task(names)  # reads the cards only: mistakes show before large weights are read
    if task is not None and (other := set(chosen) - {task}):
        raise SettingError(
            f"model {chosen[other.pop()]} does not predict {task}; leave --task out or choose "
            "another model"
        )
    loaded = {
        each: predictor.load(name, device=device, dtype=dtype) for each, name in chosen.items()
    }
    for model in loaded.values():
        model.check(**asked)
    return loaded


def _by_task(names: Sequence[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for name in dict.fromkeys(names):
        task = folder.read_card(embedded.locate(name)).task
        if task in chosen:
            raise SettingError(
                f"models {chosen[task]} and {name} both predict {task}: give one model for each "
                "task, and run them one after the other into different folders"
            )
        chosen[task] = name
    return chosen
