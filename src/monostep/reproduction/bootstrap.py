"""A ratio of mean errors with its interval, by a bootstrap over seeds and scenes.

    ratio = least mean(numerator) / least mean(denominator), each of one or several candidates
    round: seeds and scenes are drawn with replacement, equal ones on both sides, and which
           candidate is the best is found anew, so that its choice is part of the uncertainty
    interval: the 2.5th and the 97.5th percentile over rounds

A mean over drawn seeds and scenes is s^T E w, with the share s of each seed and w of each scene.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

ROUNDS = 4_000
PERCENTILES = (2.5, 97.5)

Table = Float[np.ndarray, "_ scene"]  # [seed, scene]


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A ratio, and its 95 % interval; without one where nothing was drawn at random."""

    value: float
    low: float | None = None
    high: float | None = None


def ratio(
    numerators: Sequence[Table],
    denominators: Sequence[Table],
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Ratio:
    """The ratio of two means over the same scenes, each the least of its candidates'.

    Args:
        numerators: candidates; error of each seed and scene.
        denominators: the same; row k of every table shares its ancestors with row k of the others.
            A table may have one row where others have several.
        rounds: of the bootstrap.
        seed: of the drawing, so that equal errors have an equal interval.

    Raises:
        ValueError: numbers of seeds that cannot be paired.
    """
    counts = {len(table) for table in (*numerators, *denominators)}
    if len(counts - {1}) > 1:
        raise ValueError(f"tables of {sorted(counts)} seeds; expected equal ones")
    generator = np.random.default_rng(seed)
    seeds = _shares(generator, max(counts), rounds)
    scenes = _shares(generator, numerators[0].shape[1], rounds)

    def least(tables: Sequence[Table]) -> Float[np.ndarray, " round"]:
        return np.min([_means(table, seeds, scenes) for table in tables], axis=0)

    low, high = np.percentile(least(numerators) / least(denominators), PERCENTILES)
    value = min(each.mean() for each in numerators) / min(each.mean() for each in denominators)
    return Ratio(value=float(value), low=float(low), high=float(high))


def _shares(
    generator: np.random.Generator, count: int, rounds: int
) -> Float[np.ndarray, "round one"]:
    """How often each of `count` was drawn in each round, over `count`."""
    return generator.multinomial(count, np.full(count, 1 / count), size=rounds) / count


def _means(
    errors: Table, seeds: Float[np.ndarray, "round seed"], scenes: Float[np.ndarray, "round scene"]
) -> Float[np.ndarray, " round"]:
    """s^T E w of each round; one seed alone is always drawn."""
    of_seeds = seeds if len(errors) > 1 else np.ones((len(seeds), 1))
    return (of_seeds * (scenes @ errors.T)).sum(axis=1)
