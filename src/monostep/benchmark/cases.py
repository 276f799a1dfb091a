"""What is predicted: images of one size in one batch, in so many steps and ensemble members."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.procedural.render import render
from monostep.data.splits import SEEDS
from monostep.errors import SettingError

MULTIPLE = 8  # of image sides: then nobody pads, and all see the same picture
SHIFT = 29  # pixels between one of a batch and the next


@dataclass(frozen=True, kw_only=True)
class Case:
    """`size` is (height, width) in pixels; None is what the model's card recommends."""

    size: tuple[int, int]
    batch: int = 1
    steps: int | None = None
    members: int = 1
    noise: str | None = None

    @property
    def pixels(self) -> int:
        """Of the whole batch."""
        return self.batch * self.size[0] * self.size[1]

    @property
    def name(self) -> str:
        """As reports call it: HEIGHTxWIDTH and the batch size."""
        return f"{self.size[0]}x{self.size[1]}, batch {self.batch}"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A sampler as diffusion models were used before: many steps, and an ensemble."""

    steps: int
    members: int

    @property
    def name(self) -> str:
        """STEPSxMEMBERS."""
        return f"{self.steps}x{self.members}"


def size(text: str) -> tuple[int, int]:
    """Height and width of "384x512"; SettingError for others and for what is not divisible."""
    height, width = _pair(text, "image-size", "HEIGHTxWIDTH in pixels, such as 384x512")
    if height % MULTIPLE or width % MULTIPLE:
        raise SettingError(
            f"--image-size {text}: sides must be divisible by {MULTIPLE}, so that all programs see "
            f"the same picture; take {_near(height)}x{_near(width)}"
        )
    return height, width


def baseline(text: str) -> Baseline:
    """Steps and members of "50x10"; SettingError for others."""
    steps, members = _pair(text, "baseline", "STEPSxMEMBERS, such as 50x10")
    return Baseline(steps=steps, members=members)


def cases(
    sizes: Sequence[tuple[int, int]], batches: Sequence[int], *, steps: int | None
) -> list[Case]:
    """Every size in every batch size, from few pixels to many.

    In this order memory that an allocator keeps cannot raise the peak of a later case.
    """
    every = [Case(size=size, batch=batch, steps=steps) for size in sizes for batch in batches]
    return sorted(dict.fromkeys(every), key=lambda case: case.pixels)


def pictures(case: Case) -> Float[Tensor, "batch 3 height width"]:
    """A procedural scene in [0, 1], and for a batch the same scene shifted sideways."""
    scene = _scene(case.size)
    return torch.stack([scene.roll(index * SHIFT, dims=-1) for index in range(case.batch)])


@cache
def _scene(size: tuple[int, int]) -> Float[Tensor, "3 height width"]:
    """Kept, since it takes longer than predicting and everyone gets the same."""
    return render(SEEDS["test"], [0], size).image[0]


def _pair(text: str, option: str, expected: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise SettingError(f"--{option} {text}: expected {expected}")
    return int(parts[0]), int(parts[1])


def _near(side: int) -> int:
    return max(round(side / MULTIPLE), 1) * MULTIPLE
