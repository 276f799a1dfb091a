"""Which way the axes of normals point, from how well each way agrees with what is known.

A way is three signs: a stored component times its sign is OpenCV's. Four of the eight have names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry.frames import SIGNS, Frame

Signs: TypeAlias = tuple[int, int, int]
Vectors: TypeAlias = Float[Tensor, "3 pixel"]

EVERY: tuple[Signs, ...] = tuple((x, y, z) for x, y, z in product((1, -1), repeat=3))
_DIRECTIONS = (("right", "left"), ("down", "up"), ("forward", "back"))


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How a score is read: in what unit, and when one way is better than another beyond doubt."""

    unit: str
    most: float  # beyond it even the best way is none
    ratio: float  # the other must be at least so many times as bad,
    gap: float  # and by so much more


# Normals of a guessed camera and noisy depth are tens of degrees off, whichever the axes.
ANGLE = Scale(unit="mean angle in degrees", most=60, ratio=1.1, gap=3)
# In clean renders no share is above 1 % the right way; sensors reach 20 %, wrong z nearly all.
AWAY = Scale(unit="share that faces away", most=0.35, ratio=1.5, gap=0.02)


@dataclass(frozen=True, kw_only=True)
class Guess:
    """The best way, and how sure each of its signs is."""

    scores: Mapping[Signs, float]  # smaller is better
    scale: Scale

    @property
    def signs(self) -> Signs:
        """The best way."""
        return min(EVERY, key=lambda way: self.scores[way])

    @property
    def unsure(self) -> tuple[int, ...]:
        """The axes whose sign the scores do not decide."""
        best = self.scores[self.signs]
        if best > self.scale.most:
            return (0, 1, 2)
        enough = self.scale.ratio * best + self.scale.gap
        return tuple(axis for axis in range(3) if self._flipped(axis) < enough)

    def _flipped(self, axis: int) -> float:
        """The best score with the axis the other way, whatever the other two."""
        return min(self.scores[way] for way in EVERY if way[axis] != self.signs[axis])


def name(signs: Signs) -> Frame | None:
    """The frame whose axes point this way, if it has a name."""
    return next((frame for frame, each in SIGNS.items() if each == signs), None)  # pyright: ignore[reportReturnType]


def directions(signs: Signs) -> str:
    """Where x, y and z point, such as "left, up, back"."""
    return ", ".join(
        words[0 if sign > 0 else 1] for words, sign in zip(_DIRECTIONS, signs, strict=True)
    )


def mean_angles_deg(stored: Vectors, reference: Vectors) -> dict[Signs, float]:
    """Mean angle between stored vectors, read each way, and reference ones in the OpenCV frame.

    Both are of any length above 0. Computed in float64.
    """
    products = _unit(stored) * _unit(reference)
    return {
        way: float(torch.rad2deg((products * _column(way)).sum(dim=0).clamp(-1, 1).acos()).mean())
        for way in EVERY
    }


def mean(scores: list[dict[Signs, float]]) -> dict[Signs, float]:
    """Of several images, each counting the same."""
    return {way: sum(each[way] for each in scores) / len(scores) for way in EVERY}


def _unit(vectors: Vectors) -> Vectors:
    return torch.nn.functional.normalize(vectors.double(), dim=0)


def _column(signs: Signs) -> Float[Tensor, "3 1"]:
    return torch.tensor(signs, dtype=torch.float64)[:, None]
