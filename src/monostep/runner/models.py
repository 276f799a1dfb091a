"""Which models a run uses: at most one for each task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monostep import inference, loading
from monostep.checkpoints import opening
from monostep.checkpoints.opening import Checkpoint
from monostep.device import choose_device, choose_dtype
from monostep.errors import SettingError
from monostep.predictor import Predictor
from monostep.runner import record

SELF_TEST = {"depth": "nano-depth", "normals": "nano-normals"}


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How models are found and loaded, as `monostep.load` takes it; `task` also chooses.

    Of a joint model it chooses one map.
    """

    task: str | None = None
    frame: str | None = None  # that the network speaks
    device: str = "auto"
    dtype: str = "auto"
    revision: str | None = None
    variant: str | None = None
    offline: bool | None = None
    prompt_tokens: int | None = None
    attention: str | None = None  # of joint models
    unet: str | None = None  # the folder of its weights, where a model has several
    max_memory: int | None = None  # bytes, for all models together


def load(names: Sequence[str], how: Loading, asked: Mapping[str, Any]) -> dict[str, Predictor]:
    """Predictors by task, a joint one under both; without names those inside the package.

    Args:
        names: what `monostep.load` takes, each of another task.
        how: the task to keep to (None: whatever the models predict), the device and the rest.
        asked: keywords of `Predictor.inference` that the models must have.

    Raises:
        SettingError: two models of one task, a model of another task, or a setting it lacks.
        CheckpointError: a model is missing, partial or corrupt.
        MissingExtraError: a model's text encoder needs an extra package.
    """
    if how.task is not None and how.task not in SELF_TEST:
        raise SettingError(f"task {how.task!r}: choose {' or '.join(SELF_TEST)}")
    # Mistakes show before anything is downloaded.
    choose_dtype(how.dtype, choose_device(how.device))
    if not names:
        names = [name for each, name in SELF_TEST.items() if how.task in (None, each)]
    chosen = _by_task(names, how)
    wanted = {id(found): found for found in chosen.values()}  # a joint one once
    for found in wanted.values():  # the cards alone show most mistakes, before weights are read
        _resolve(found, asked, [task for task, each in chosen.items() if each is found])
    opened = {key: _open(found, how, models=len(wanted)) for key, found in wanted.items()}
    if how.max_memory is not None:
        held = sum(each.weight_bytes for each in opened.values())
        for each in opened.values():  # the others' weights stay where they are
            each.max_memory = max(how.max_memory - (held - each.weight_bytes), 0)
    return {task: opened[id(found)] for task, found in chosen.items()}


def _open(found: Checkpoint, how: Loading, *, models: int) -> Predictor:
    share = None if how.max_memory is None else how.max_memory // models
    return loading.open_checkpoint(
        _identified(found), device=how.device, dtype=how.dtype, max_memory=share
    )


def _by_task(names: Sequence[str], how: Loading) -> dict[str, Checkpoint]:
    chosen: dict[str, Checkpoint] = {}
    named: dict[str, str] = {}
    for name in dict.fromkeys(names):
        found = _find(name, how)
        tasks = [task for task in found.card.maps if how.task in (None, task)]
        if not tasks:
            raise SettingError(
                f"model {name} does not predict {how.task}; leave --task out or choose another "
                "model"
            )
        for task in tasks:
            if task in chosen:
                raise SettingError(
                    f"models {named[task]} and {name} both predict {task}: give one model for each "
                    "task, and run them one after the other into different folders"
                )
            chosen[task], named[task] = found, name
    return chosen


def _find(name: str, how: Loading) -> Checkpoint:
    return opening.find(
        name,
        task=how.task,
        frame=how.frame,
        revision=how.revision,
        variant=how.variant,
        offline=how.offline,
        prompt_tokens=how.prompt_tokens,
        attention=how.attention,
        unet=how.unet,
    )


def _identified(found: Checkpoint) -> Checkpoint:
    """With the hashes of a folder's weights, where nothing else tells them from other weights.

    A second run must know: retrained weights have the same name and size.
    """
    source = found.card.source
    if found.card.tensor_hash is not None or source.get("commit") is not None:
        return found
    known = source.get("files", {})
    files = {
        name: {**known.get(name, {}), "sha256": record.sha256(found.folder / name)}
        for name in found.weights
    }
    return replace(found, card=replace(found.card, source={**source, "files": files}))


def _resolve(found: Checkpoint, asked: Mapping[str, Any], tasks: Sequence[str]) -> None:
    try:
        inference.resolve(found.card, **asked)
        inference.check_merge(asked.get("merge"), found.card, tasks)
    except SettingError as error:
        raise SettingError(f"{found.card.name}: {error}") from error
