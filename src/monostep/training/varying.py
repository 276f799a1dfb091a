"""A batch as a run sees it: closer looks, other cameras and light, each by the image's own seed."""

from dataclasses import replace

import torch

from monostep.data.zoom import zoomed
from monostep.training.batch import Batch
from monostep.training.seeds import derive
from monostep.training.truth_config import TruthConfig


def varied(batch: Batch, config: TruthConfig) -> Batch:
    """The batch changed as the config wants it; where it wants nothing, the batch itself.

    What is drawn here does not move what the task draws: noise and timesteps.
    """
    augmentation = config.augmentation
    if config.zoom == 1 and not augmentation.changes:
        return batch
    looks = [torch.Generator().manual_seed(derive(seed, "look")) for seed in batch.seeds]
    samples = zoomed(batch.samples, config.zoom, looks)
    pairs = zip(samples.image, looks, strict=True)
    image = torch.stack([augmentation.apply(one, look) for one, look in pairs])
    return replace(batch, samples=replace(samples, image=image))
