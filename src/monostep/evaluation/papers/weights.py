"""Where the checkpoint of a table's row is: the user's folder of weights, or the Hub's cache."""

from pathlib import Path

from monostep.checkpoints import folded, layout, opening, registry
from monostep.checkpoints.opening import Checkpoint
from monostep.errors import CheckpointError
from monostep.evaluation.papers.published_row import Row, Run
from monostep.runner.models import Loading


def find(
    key: str, row: Row, how: Loading, *, weights: Path | None, download: bool = False
) -> Checkpoint:
    """The checkpoint of a row that has a run, from its small files alone.

    Args:
        key: the row's short name.
        row: with its run.
        how: length of the prompt and variant of the weights.
        weights: a folder with checkpoints, each named as on the Hub (with or without its owner), by
            its alias, or by the row's short name.
        download: whether the Hub may be asked for what is not on this machine.

    Raises:
        CheckpointError: it is not there; the message says how to get it.
    """
    run = row.run
    assert run is not None
    place = None if weights is None else _below(weights, _names(key, run))
    if place is None and run.checkpoint is None:
        raise CheckpointError(
            f"{key}: nobody published this checkpoint; {run.train} -o RUN makes one, and --weights "
            f"DIR finds it as DIR/{key}"
        )
    if place is not None and place.is_file():
        return opening.find(place, attention=run.attention)
    says_itself = (
        registry.find(run.checkpoint or "") is not None
        if place is None
        else (place / layout.CARD).is_file()
    )
    return opening.find(
        place or run.checkpoint or "",
        task=None if says_itself else row.task,
        frame=None if says_itself or row.task == "depth" else _frame(run),
        variant=how.variant,
        offline=None if download else True,
        prompt_tokens=how.prompt_tokens,
        attention=run.attention,
    )


def _names(key: str, run: Run) -> list[str]:
    """Under which names a folder of weights may hold it, the most certain first."""
    if run.checkpoint is None:
        return [key]
    entry = registry.find(run.checkpoint)
    ids = [run.checkpoint, *(entry.other_ids if entry else ())]
    alias = [entry.alias] if entry else []
    return [*ids, *(id.partition("/")[2] for id in ids), *alias, key]


def _below(weights: Path, names: list[str]) -> Path | None:
    for name in names:
        for place in (weights / name, weights / f"{name}{folded.ENDING}"):
            is_model = place.is_file() or any(
                (place / first).is_file() for first in (layout.CARD, layout.INDEX)
            )
            if is_model:
                return place
    return None


def _frame(run: Run) -> str | None:
    """The frame of the network's normals, as the registry or the table knows it."""
    entry = registry.find(run.checkpoint) if run.checkpoint else None
    return entry.frame if entry else run.frame
