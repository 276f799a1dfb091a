"""Which scenes a micro-batch holds: a pure function of the config and its number."""

from dataclasses import dataclass

import torch
from torch.utils.data import Dataset

from monostep.data.samples import Samples
from monostep.training import source
from monostep.training.config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class MicroBatch:
    """Scene indices, the size to render at, the reduction after it, and who is mirrored."""

    indices: tuple[int, ...]
    size: tuple[int, int]
    reduction: int
    flips: tuple[bool, ...]


def micro_batch(config: TrainConfig, number: int) -> MicroBatch:
    """The content of micro-batch `number` (from 0), whatever ran before it."""
    step = number // config.accumulate
    _, height, _, images = config.phase(step)
    _, *size, _ = config.phases[-1]
    first = _images_before(config, number)
    indices = tuple(position % config.scenes for position in range(first, first + images))
    # torch's CPU generator reads 32 bits of its seed; the odd factor keeps seeds far apart.
    mixed = (config.seed * 0x9E3779B1 + number) % 2**32
    generator = torch.Generator().manual_seed(mixed)
    flips = torch.rand(images, generator=generator) < (0.5 if config.flip else 0.0)
    return MicroBatch(
        indices=indices,
        size=(size[0], size[1]),
        reduction=size[0] // height,
        flips=tuple(flips.tolist()),
    )


def _images_before(config: TrainConfig, number: int) -> int:
    count = 0
    # A phase begins at the first step that is not below its fraction of all steps.
    starts = [-int(-phase[0] * config.steps // 1) * config.accumulate for phase in config.phases]
    ends = [*starts[1:], config.steps * config.accumulate]
    for phase, start, end in zip(config.phases, starts, ends, strict=True):
        count += max(0, min(number, end) - start) * phase[3]
    return count


class MicroBatches(Dataset[Samples]):
    """The run's data: item n is micro-batch n, rendered or read from the cache."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.scenes = source.training(config)

    def __len__(self) -> int:
        """Number of micro-batches in the run."""
        return self.config.last * self.config.accumulate

    def __getitem__(self, number: int) -> Samples:
        """Micro-batch `number`, with its flips applied."""
        batch = micro_batch(self.config, number)
        samples = self.scenes.fetch(batch.indices, batch.size).flip(torch.tensor(batch.flips))
        return samples.reduce(batch.reduction)
