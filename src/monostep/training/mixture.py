"""Which source a micro-batch comes from: fixed shares, every round in an order of its own.

One source a micro-batch, because sources differ in size. With weights 9 and 1 every ten
micro-batches hold nine of the first; E2E-FT's mixer keeps the same shares over a whole epoch.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch

from monostep.training.seeds import derive


def source_of(weights: Sequence[int], seed: int, number: int) -> int:
    """Index of the source of micro-batch `number` (from 0)."""
    place, within = divmod(number, sum(weights))
    return _round(tuple(weights), seed, place)[within]


def count(weights: Sequence[int], seed: int, source: int, number: int) -> int:
    """How many of the micro-batches before `number` come from a source."""
    place, within = divmod(number, sum(weights))
    current = _round(tuple(weights), seed, place)[:within]
    return place * weights[source] + current.count(source)


def epoch(lengths: Sequence[int], weights: Sequence[int]) -> int:
    """Micro-batches until one source, in its share, is used up: E2E-FT's length of an epoch.

    Args:
        lengths: micro-batches that each source holds.
        weights: of the sources.
    """
    rounds = min(length / weight for length, weight in zip(lengths, weights, strict=True))
    return sum(int(rounds * weight + 1e-9) for weight in weights)


@lru_cache(maxsize=64)
def _round(weights: tuple[int, ...], seed: int, place: int) -> list[int]:
    each = [source for source, weight in enumerate(weights) for _ in range(weight)]
    generator = torch.Generator().manual_seed(derive(seed, "round", place))
    return [each[k] for k in torch.randperm(len(each), generator=generator).tolist()]
