"""Where a run's images come from: procedural scenes, or the photographs of a folder."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from monostep.data.cache import SceneCache
from monostep.data.samples import Samples
from monostep.data.splits import SEEDS
from monostep.training import photos
from monostep.training.config import TrainConfig
from monostep.training.distil_config import DistilConfig
from monostep.training.photos import Photos

HELD_OUT = 10  # of a folder's photographs at most every tenth is for validation


@runtime_checkable
class Source(Protocol):
    """Anything that gives images by their index."""

    def fetch(self, indices: Sequence[int], size: tuple[int, int]) -> Samples:
        """The images of these indices at this (height, width), as one batch."""
        ...


def training(config: TrainConfig) -> Source:
    """The images that are learned from; indices run below `config.scenes`."""
    if isinstance(config, DistilConfig) and config.images is not None:
        learned, _ = _split(config.images, config.validation_scenes)
        return Photos(paths=learned, seed=config.scene_seed)
    return SceneCache(config.scene_seed, config.scenes, folder=config.cache)


def validation(config: TrainConfig) -> tuple[Source, int]:
    """The images that are only measured on, and their number."""
    if isinstance(config, DistilConfig) and config.images is not None:
        _, held_out = _split(config.images, config.validation_scenes)
        return Photos(paths=held_out, seed=None), len(held_out)
    count = config.validation_scenes
    return SceneCache(SEEDS["validation"], count, folder=config.cache), count


@cache  # files that appear during a run must not change what is held out
def _split(folder: str, wanted: int) -> tuple[list[Path], list[Path]]:
    """Photographs to learn from and to hold out, the latter spread evenly over the names."""
    paths = photos.files(folder)
    count = max(1, min(wanted, len(paths) // HELD_OUT))
    held_out = {k * len(paths) // count for k in range(count)}
    learned = [path for index, path in enumerate(paths) if index not in held_out]
    return learned, [paths[index] for index in sorted(held_out)]
