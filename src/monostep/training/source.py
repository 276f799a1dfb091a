"""Where a run's images come from: procedural scenes, manifests, or the photographs of a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from monostep.data import manifest
from monostep.data.cache import SceneCache
from monostep.data.manifest_source import ManifestSource
from monostep.data.samples import Samples
from monostep.data.splits import SEEDS
from monostep.errors import SettingError
from monostep.training import photos, relative_truth
from monostep.training.config import PROCEDURAL, TrainConfig
from monostep.training.distil_config import DistilConfig
from monostep.training.photos import Photos

HELD_OUT = 10  # of images without a split of their own at most every tenth is for validation
LEARNED = (None, "train")
VALIDATION = ("validation", "val")
# What a task must be told about each pixel; others look at images alone.
NEEDS = {
    "depth": ("depth",),
    "normals": ("normals",),
    "geometry": ("depth", "normals"),
    "autoencoder": ("depth", "normals"),
}


@runtime_checkable
class Source(Protocol):
    """Anything that gives images by their index."""

    @property
    def count(self) -> int:
        """How many images there are."""
        ...

    def name(self, index: int) -> str:
        """What to call an image in a message."""
        ...

    def fetch(self, indices: Sequence[int], size: tuple[int, int]) -> Samples:
        """The images of these indices at this (height, width), as one batch."""
        ...


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some images of a source, as a source of its own."""

    source: Source
    indices: Sequence[int]

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(self.indices)

    def name(self, index: int) -> str:
        """What the whole source calls the image."""
        return self.source.name(self.indices[index])

    def fetch(self, indices: Sequence[int], size: tuple[int, int]) -> Samples:
        """The images of these indices, counted within the part."""
        return self.source.fetch([self.indices[index] for index in indices], size)


def training(config: TrainConfig) -> list[Source]:
    """The sources that are learned from, in the order of the config's `sources`."""
    if isinstance(config, DistilConfig) and config.images is not None:
        learned, _ = _split_photos(config.images, config.validation_scenes)
        return [Photos(paths=learned, seed=config.scene_seed, crops=config.scenes)]
    return [_learned(config, name) for name in config.sources]


def validation(config: TrainConfig) -> list[Source]:
    """The images that are only measured on, at most `validation_scenes` in all."""
    if isinstance(config, DistilConfig) and config.images is not None:
        _, held_out = _split_photos(config.images, config.validation_scenes)
        return [Photos(paths=held_out, seed=None)]
    names = config.validation_data or config.sources
    wanted = max(1, config.validation_scenes // len(names))
    found = [_measured(config, name, wanted) for name in names]
    measured = [each for each in found if each.count > 0]
    if not measured:
        raise SettingError(
            f"no row to validate on in {', '.join(names)}; expected rows of split validation, "
            "rows without a split, or other manifests in validation_data"
        )
    return measured


def _learned(config: TrainConfig, name: str) -> Source:
    if name == PROCEDURAL:
        return SceneCache(config.scene_seed, config.scenes, folder=config.cache)
    source, splits = _read(config, name)
    relative_truth.check_learned(config, source.manifest.declaration)
    if config.validation_data:  # then nothing is held out but what says so itself
        learned = [k for k, split in enumerate(splits) if split in LEARNED]
    else:
        learned, _ = _split(splits, config.validation_scenes // len(config.sources))
    if not learned:
        raise SettingError(
            f"{name}: no row to learn from; expected some of split train, or of none"
        )
    return Part(source=source, indices=learned)


def _measured(config: TrainConfig, name: str, wanted: int) -> Source:
    if name == PROCEDURAL:
        return SceneCache(SEEDS["validation"], wanted, folder=config.cache)
    source, splits = _read(config, name)
    relative_truth.check_measured(config, source.manifest.declaration)
    if config.validation_data:
        held_out = [k for k, split in enumerate(splits) if split in (None, *VALIDATION)]
    else:
        _, held_out = _split(splits, wanted)
    return Part(source=source, indices=_spread(held_out, wanted))


def _read(config: TrainConfig, name: str) -> tuple[ManifestSource, list[str | None]]:
    """A manifest that the run can learn from, and the split of each row."""
    wanted = NEEDS.get(config.task, ())
    source, splits = _manifest(name, "normals" in wanted)
    if "depth" in wanted and not source.has_depth():
        raise SettingError(f"{name}: rows without depth, which {config.recipe} learns from")
    if "normals" in wanted and not source.has_normals():
        raise SettingError(
            f"{name}: rows with neither normals nor, to compute them with, depth in metres and "
            f"intrinsics, which {config.recipe} learns from; add them or leave those rows out"
        )
    return source, splits


@cache
def _manifest(path: str, normals: bool) -> tuple[ManifestSource, list[str | None]]:  # noqa: FBT001
    read = manifest.read(path)
    return ManifestSource(read, normals=normals), [row.split for row in read.rows]


def _split(splits: Sequence[str | None], wanted: int) -> tuple[list[int], list[int]]:
    """Rows to learn from and to hold out: as they say; of those that do not, every so-manieth."""
    held_out = [k for k, split in enumerate(splits) if split in VALIDATION]
    learned = [k for k, split in enumerate(splits) if split in LEARNED]
    free = [k for k, split in enumerate(splits) if split is None]
    if not held_out and free and len(learned) > 1:
        held_out = _spread(free, max(1, min(wanted, len(free) // HELD_OUT)))
        learned = sorted(set(learned) - set(held_out))
    return learned, held_out


def _spread(indices: Sequence[int], wanted: int) -> list[int]:
    """So many of the indices, evenly spread; all of them if there are no more."""
    count = min(wanted, len(indices))
    return [indices[k * len(indices) // count] for k in range(count)]


@cache  # files that appear during a run must not change what is held out
def _split_photos(folder: str, wanted: int) -> tuple[list[Path], list[Path]]:
    paths = photos.files(folder)
    learned, held_out = _split([None] * len(paths), wanted)
    return [paths[k] for k in learned], [paths[k] for k in held_out]
