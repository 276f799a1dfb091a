"""A process's share of the data, step by step, read ahead by worker processes."""

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from monostep.errors import MonostepError, TrainingError
from monostep.training import leaving
from monostep.training.batch import Batch
from monostep.training.order import Pieces
from monostep.training.world import World


def steps(data: Pieces, world: World, *, first: int) -> Iterator[list[Batch]]:
    """This process's pieces of each optimiser step from number `first` on.

    All processes have theirs before any goes on.

    Raises:
        MonostepError: the first of any process that could not read its own.
        TrainingError: a process that did not come in time, or whose worker died.
    """
    config = data.config
    pieces = config.accumulate * data.slices
    loader = DataLoader(
        data,
        batch_size=None,
        sampler=range(first * pieces + world.rank, len(data), world.size),
        num_workers=config.workers,
        pin_memory=world.device.type == "cuda",
        collate_fn=_as_is,  # pyright: ignore[reportArgumentType] - no list: batch_size is None
        worker_init_fn=leaving.stay,
    )
    with leaving.ended_at_exit():
        reading = iter(loader)
    for step in range(first, config.last):
        mine: list[Batch] = []
        with world.together(f"for step {step + 1}"):
            mine = [_next(reading) for _ in range(pieces // world.size)]
        yield mine


def _next(reading: Iterator[Any]) -> Batch:
    try:
        piece = next(reading)
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise TrainingError(
            f"a worker that reads data died ({' '.join(str(error).split())}); if memory is short, "
            "lower workers"
        ) from error
    if isinstance(piece, MonostepError):
        raise piece
    return piece


def _as_is(piece: Any) -> Any:
    return piece
