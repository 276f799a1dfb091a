"""Random numbers that are a pure function of a seed and an index."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch

_MASK64 = (1 << 64) - 1
_BLOCK = 2048  # numbers drawn at a time: one call of torch.rand costs as much as hundreds of them

Choice = TypeVar("Choice")


def splitmix64(state: int) -> int:
    """Return a 64-bit integer that mixes every bit of `state` (Steele et al., 2014)."""
    z = (state + 0x9E3779B97F4A7C15) & _MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK64
    return z ^ (z >> 31)


class Draws:
    """A stream of random choices, the same for the same (seed, index)."""

    def __init__(self, seed: int, index: int) -> None:
        """Start the stream of sample `index` under `seed`."""
        mixed = splitmix64(splitmix64(seed & _MASK64) ^ (index & _MASK64))
        self._generator = torch.Generator().manual_seed(mixed >> 1)
        self._block: list[float] = []

    def unit(self) -> float:
        """Return a number uniform in [0, 1)."""
        if not self._block:
            block = torch.rand(_BLOCK, generator=self._generator, dtype=torch.float64)
            self._block = block.tolist()
        return self._block.pop()

    def uniform(self, low: float, high: float) -> float:
        """Return a number uniform in [low, high)."""
        return low + (high - low) * self.unit()

    def log_uniform(self, low: float, high: float) -> float:
        """Return a number whose logarithm is uniform between those of `low` and `high`."""
        return low * math.exp(self.unit() * math.log(high / low))

    def integer(self, low: int, high: int) -> int:
        """Return an integer uniform in low ... high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.unit() < probability

    def choice(self, options: Sequence[Choice]) -> Choice:
        """Return one of the options, each equally likely."""
        return options[int(self.unit() * len(options))]
