"""Photographs of a folder as training images: crops that are functions of their index."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.samples import Samples
from monostep.errors import SettingError
from monostep.images.fit import resize
from monostep.pictures import as_tensor
from monostep.runner import inputs

LEAST_CROP = 0.5  # of the largest crop's sides


def files(folder: str) -> list[Path]:
    """All images in a folder and below, by name; SettingError if there are not even two."""
    if not Path(folder).is_dir():
        raise SettingError(f"images {folder}: no such folder; give the folder of the photographs")
    found = inputs.find([folder], output=Path(os.devnull))
    if len(found.jobs) < 2:
        raise SettingError(
            f"images {folder}: {len(found.jobs)} image(s) there; expected at least two, "
            "one of which is held out for validation"
        )
    return [job.source for job in found.jobs]


@dataclass(frozen=True, kw_only=True)
class Photos:
    """Crops of photographs, without geometry: nothing in them is valid.

    Crop n is of file n modulo their number; where it lies follows from the seed and n alone.
    Without a seed it is the largest in the centre.
    """

    paths: Sequence[Path]
    seed: int | None
    crops: int = 0  # so many different ones, if they are more than the photographs

    @property
    def count(self) -> int:
        """How many crops there are: at least one of each photograph."""
        return max(self.crops, len(self.paths))

    def name(self, index: int) -> str:
        """The photograph's path."""
        return str(self.paths[index % len(self.paths)])

    def fetch(self, indices: Sequence[int], size: tuple[int, int]) -> Samples:
        """The crops of these indices, resized to this (height, width), as one batch."""
        return _samples(torch.stack([self._crop(index, size) for index in indices]))

    def _crop(self, index: int, size: tuple[int, int]) -> Float[Tensor, "3 height width"]:
        picture = as_tensor(self.paths[index % len(self.paths)])
        scale, top, left = self._draw(index)
        largest = min(picture.shape[1] / size[0], picture.shape[2] / size[1])
        height, width = (max(1, int(side * largest * scale)) for side in size)
        y = int(top * (picture.shape[1] - height + 1))
        x = int(left * (picture.shape[2] - width + 1))
        return resize(picture[:, y : y + height, x : x + width], size).clamp(0, 1)

    def _draw(self, index: int) -> tuple[float, float, float]:
        if self.seed is None:
            return 1.0, 0.5, 0.5
        mixed = (self.seed * 0x9E3779B1 + index) % 2**32
        draws = torch.rand(3, generator=torch.Generator().manual_seed(mixed)).tolist()
        return LEAST_CROP + (1 - LEAST_CROP) * draws[0], draws[1], draws[2]


def _samples(image: Float[Tensor, "batch 3 height width"]) -> Samples:
    batch, _, height, width = image.shape
    nothing = torch.zeros(batch, height, width)
    return Samples(
        image=image,
        depth_m=nothing,
        normals=torch.zeros_like(image),
        valid=nothing.bool(),
        sky=nothing.bool(),
        intrinsics=torch.eye(3).expand(batch, 3, 3),
        kind=torch.zeros(batch, dtype=torch.int64),
    )
