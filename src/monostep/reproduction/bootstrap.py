"""A ratio of mean errors with its interval, by a bootstrap over seeds and scenes.

    ratio = mean(numerator) / mean(denominator)
    round: seeds and scenes are drawn with replacement, equal ones on both sides
    interval: the 2.5th and the 97.5th percentile over rounds

A mean over drawn seeds and scenes is s^T E w, with the share s of each seed and w of each scene.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13.
"""

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


def ratio(numerator: Table, denominator: Table, *, rounds: int = ROUNDS, seed: int = 0) -> Ratio:
    """The ratio of two means over the same scenes.

    Args:
        numerator: error of each seed and scene.
        denominator: the same; its row k shares its ancestors with row k of the numerator. One of
            the two may have one row where the other has several.
        rounds: of the bootstrap.
        seed: of the drawing, so that equal errors have an equal interval.

    Raises:
        ValueError: numbers of seeds that cannot be paired.
    """
    counts = {len(numerator), len(denominator)}
    if len(counts - {1}) > 1:
        raise ValueError(f"{len(numerator)} and {len(denominator)} seeds; expected pairs")
    generator = np.random.default_rng(seed)
    seeds = _shares(generator, max(counts), rounds)
    scenes = _shares(generator, numerator.shape[1], rounds)
    drawn = _means(numerator, seeds, scenes) / _means(denominator, seeds, scenes)
    low, high = np.percentile(drawn, PERCENTILES)
    return Ratio(
        value=float(numerator.mean() / denominator.mean()), low=float(low), high=float(high)
    )


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
