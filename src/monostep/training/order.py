"""Which images a micro-batch holds: a pure function of the config and the micro-batch's number.

With R processes an optimiser step is cut into pieces, R or a multiple of it: whole micro-batches,
or equal slices of them where there are fewer micro-batches than processes. Process r takes every
R-th piece. So no image is seen twice, and a resume continues on any number of processes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.utils.data import Dataset

from monostep.data.samples import Samples
from monostep.errors import MonostepError, SettingError, TrainingError
from monostep.training import mixture, source
from monostep.training.batch import Batch
from monostep.training.config import TrainConfig
from monostep.training.seeds import derive


@dataclass(frozen=True, kw_only=True)
class MicroBatch:
    """Where images come from, the size to fetch them at, the reduction after it, and seeds.

    `first` is the number of the first image among all images of the run, `position` its number
    among those of its source.
    """

    source: int
    first: int
    position: int
    images: int
    size: tuple[int, int]
    reduction: int


def micro_batch(config: TrainConfig, number: int) -> MicroBatch:
    """The content of micro-batch `number` (from 0), whatever ran before it."""
    _, height, _, images = config.phase(number // config.accumulate)
    _, *size, _ = config.phases[-1]
    chosen = mixture.source_of(config.round, config.seed, number)
    return MicroBatch(
        source=chosen,
        first=_images_before(config, number, lambda n: n),
        position=_images_before(
            config, number, lambda n: mixture.count(config.round, config.seed, chosen, n)
        ),
        images=images,
        size=(size[0], size[1]),
        reduction=size[0] // height,
    )


def pieces(config: TrainConfig, processes: int) -> int:
    """Slices that each micro-batch is cut into, so that all processes have equally many."""
    slices = processes // math.gcd(config.accumulate, processes)
    for _, _, _, images in config.phases:
        if images % slices:
            raise SettingError(
                f"accumulate {config.accumulate}, micro-batches of {images} images, {processes} "
                f"processes: a step cannot be shared out evenly; expected accumulate to be a "
                f"multiple of {processes}, or the images to be one of {slices}"
            )
    if slices > 1 and getattr(config, "pool", "image") == "batch":
        raise SettingError(
            f"pool=batch is a mean over whole micro-batches, but {processes} processes share "
            f"{config.accumulate} of them; expected accumulate to be a multiple of {processes}"
        )
    return slices


def _images_before(config: TrainConfig, number: int, batches: Callable[[int], int]) -> int:
    """Images in the micro-batches before `number`, of those that `batches` counts up to one."""
    count = 0
    # A phase begins at the first step that is not below its fraction of all steps.
    starts = [-int(-phase[0] * config.steps // 1) * config.accumulate for phase in config.phases]
    ends = [*starts[1:], config.steps * config.accumulate]
    for phase, start, end in zip(config.phases, starts, ends, strict=True):
        if number > start:
            count += (batches(min(number, end)) - batches(start)) * phase[3]
    return count


def _index(config: TrainConfig, batch: MicroBatch, row: int, count: int) -> int:
    """Index within the source of one of the batch's images: every epoch in an order of its own."""
    epoch, position = divmod(batch.position + row, count)
    return int(_permutation(derive(config.seed, "epoch", batch.source, epoch), count)[position])


@lru_cache(maxsize=8)
def _permutation(seed: int, count: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


class Pieces(Dataset[Batch | MonostepError]):
    """The run's data: item n is its n-th piece, rendered or read, with its flips applied.

    What cannot be read is an item too, its error: raised in a data loader's worker it would come
    out as a page of text.
    """

    def __init__(self, config: TrainConfig, *, slices: int = 1) -> None:
        self.config = config
        self.slices = slices
        self.sources = source.training(config)

    def __len__(self) -> int:
        """Number of pieces in the run."""
        return self.config.last * self.config.accumulate * self.slices

    def __getitem__(self, number: int) -> Batch | MonostepError:
        """Piece `number` of the run, or why there is none."""
        try:
            return self.piece(number)
        except MonostepError as error:
            return error

    def piece(self, number: int) -> Batch:
        """Piece `number` of the run.

        Raises:
            TrainingError: an image or its truth is not finite where it counts.
        """
        config = self.config
        whole, part = divmod(number, self.slices)
        batch = micro_batch(config, whole)
        images = batch.images // self.slices
        rows = range(part * images, (part + 1) * images)
        seeds = tuple(derive(config.seed, "image", batch.first + row) for row in rows)
        chosen = self.sources[batch.source]
        indices = [_index(config, batch, row, chosen.count) for row in rows]
        flips = [config.flip and derive(seed, "flip") % 2 == 1 for seed in seeds]
        samples = chosen.fetch(indices, batch.size).flip(torch.tensor(flips))
        names = tuple(chosen.name(index) for index in indices)
        _check(samples, names)
        return Batch(
            samples=samples.reduce(batch.reduction),
            step=whole // config.accumulate,
            seeds=seeds,
            names=names,
        )


def _check(samples: Samples, names: tuple[str, ...]) -> None:
    """Stop at values that would make the loss nan, where they can still be named."""
    broken = {
        "image": ~samples.image.isfinite().all(dim=1),
        "depth": samples.valid & ~samples.depth_m.isfinite(),
        "normals": samples.valid & ~samples.normals.isfinite().all(dim=1),
    }
    for what, pixels in broken.items():
        for row, name in enumerate(names):
            if count := int(pixels[row].sum()):
                raise TrainingError(
                    f"{name}: {what} not finite at {count} pixels that count as valid; "
                    "mask them, or leave the image out"
                )
