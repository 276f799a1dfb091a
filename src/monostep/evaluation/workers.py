"""Processes that prepare images ahead of the models."""

import io
import multiprocessing
import os
import pickle
import signal
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from monostep.device import cores
from monostep.errors import MonostepError
from monostep.evaluation.case import Case
from monostep.evaluation.prepare import Preparation, Prepared

MOST = 4  # worker processes, unless asked for more
FEW_IMAGES = 8  # for so many or fewer no process is worth its start
LARGE = 8_000_000  # pixels of an image of which only two may be under way


def ahead(preparation: Preparation, workers: int) -> Iterator[Prepared]:
    """The wanted images in the order of the list, prepared by so many processes; 0: by this one.

    Raises:
        MonostepError: what stops the whole run, such as a missing package; or a worker died.
    """
    if workers == 0:
        yield from (preparation[index] for index in preparation.wanted)
        return
    try:
        for packed in _started(preparation, workers):
            yield _unpacked(packed)
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise MonostepError(
            f"a worker that reads images died ({' '.join(str(error).split())}); if memory is "
            "short, lower --workers"
        ) from error


def choose(preparation: Preparation, *, on_cpu: bool, asked: int | None) -> int:
    """How many processes to use: what is asked, or none where they would not help.

    A model on the CPU needs the cores itself. Of large images few fit into memory.
    """
    images = len(preparation.wanted)
    if asked is not None:
        return min(asked, images)
    if on_cpu or images <= FEW_IMAGES:
        return 0
    most = min(MOST, cores())
    if most > 2 and _pixels(preparation) > LARGE:
        return 2
    return most


def _started(preparation: Preparation, workers: int) -> Iterator[bytes]:
    with warnings.catch_warnings():
        # More than there are cores was asked for: the files may lie on a slow disk.
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        loader = DataLoader(
            _Packed(preparation),
            batch_size=None,
            sampler=list(preparation.wanted),
            num_workers=workers,
            prefetch_factor=1,
            collate_fn=_as_is,  # pyright: ignore[reportArgumentType] - no list: batch_size is None
            worker_init_fn=_stay,
        )
        return iter(loader)


def _pixels(preparation: Preparation) -> int:
    """Of the first image that can be read; 0 of none."""
    for index in preparation.wanted:
        try:
            case = preparation.benchmark.load(index, image=False)
        except MonostepError:
            continue
        return _size_of(case)
    return 0


def _size_of(case: Case) -> int:
    valid = case.normals_valid if case.depth_valid is None else case.depth_valid
    return 0 if valid is None else valid.numel()


class _Packed(Dataset[bytes]):
    """What is prepared, as bytes: they go through a pipe, where shared memory may be small."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation

    def __len__(self) -> int:
        return len(self._preparation)

    def __getitem__(self, index: int) -> bytes:
        try:
            return _pack(self._preparation[index])
        except MonostepError as error:
            return _pack(error)


class _Pickler(pickle.Pickler):
    """Tensors as arrays, which need no more than their bytes."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Tensor):
            return torch.from_numpy, (obj.contiguous().numpy(),)
        return NotImplemented


def _pack(value: Any) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=5).dump(value)
    return buffer.getvalue()


def _unpacked(packed: bytes) -> Prepared:
    value = pickle.loads(packed)
    if isinstance(value, MonostepError):
        raise value
    return value


def _as_is(packed: Any) -> Any:
    return packed


def _stay(worker: int) -> None:  # noqa: ARG001 - what a data loader passes
    """Leave interrupts to the process that is read for; a worker ends when that does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_reader, daemon=True).start()


def _end_with_reader() -> None:
    """End at once however the reader ended: a full pipe to it would hold this process forever."""
    reader = multiprocessing.parent_process()
    if reader is not None:
        reader.join()
        os._exit(1)
