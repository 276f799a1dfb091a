"""A micro-batch as a task sees it: images with their truth, and all that may vary by step."""

from dataclasses import dataclass, replace

import torch

from monostep.data.samples import Samples


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Samples, the optimiser step they belong to, and a seed and a name for each image.

    Whatever a task draws at random for an image comes from `generator(row)`, so that a step is
    the same after a resume, with other workers and on other ranks.
    """

    samples: Samples
    step: int  # optimiser step, from 0
    seeds: tuple[int, ...]  # below 2^63
    names: tuple[str, ...]

    def generator(self, row: int) -> torch.Generator:
        """A fresh generator on the CPU for one image's random numbers."""
        return torch.Generator().manual_seed(self.seeds[row])

    def to(self, device: torch.device) -> "Batch":
        """The batch with its samples on `device`."""
        return replace(self, samples=self.samples.to(device))

    def pin_memory(self) -> "Batch":
        """The batch with its samples in pinned memory: what torch's data loaders call."""
        return replace(self, samples=self.samples.pin_memory())
