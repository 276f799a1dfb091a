"""The procedural scenes as a torch data set, rendered anew whenever they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from torch.utils.data import Dataset

from monostep.data.procedural.render import render
from monostep.data.samples import Samples


class ProceduralScenes(Dataset[Samples]):
    """`count` procedural samples; a data loader over them needs an identity `collate_fn`."""

    def __init__(self, seed: int, count: int, size: tuple[int, int]) -> None:
        """Describe the samples 0 ... count - 1 under `seed`, of (height, width) `size` in pixels.

        Nothing is rendered yet.
        """
        self.seed = seed
        self.count = count
        self.size = size

    def __len__(self) -> int:
        """Return the number of samples."""
        return self.count

    def __getitem__(self, index: int) -> Samples:
        """Return one sample, as a batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Samples:
        """Return several samples as one batch: what torch's data loaders call."""
        if not all(0 <= index < self.count for index in indices):
            raise IndexError(f"samples are numbered 0 to {self.count - 1}, not {indices}")
        return render(self.seed, indices, self.size)
