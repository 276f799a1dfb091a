"""What scores of some images say of all images: percentile-bootstrap intervals.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

LEVEL = 0.95
RESAMPLES = 2000
SEED = 0
AT_ONCE = 1_000_000  # numbers drawn together


def means(
    values: Float[np.ndarray, "image metric"], weights: Float[np.ndarray, " image"]
) -> Float[np.ndarray, " metric"]:
    """Weighted means over images; nan is no value and has no weight. All nan gives nan.

    What is infinite makes the mean infinite.
    """
    known = ~np.isnan(values)
    return _ratio(weights[None] @ np.where(known, values, 0), weights[None] @ known)[0]


def intervals(
    values: Float[np.ndarray, "image metric"], weights: Float[np.ndarray, " image"]
) -> Float[np.ndarray, "metric 2"]:
    """95 % intervals of the weighted means: [low, high].

    Images are drawn with replacement, each with its weight; every resample's mean is the ratio of
    the drawn sums, so a weight (an image's pixels) varies with its image. There is none, but nan,
    where a value is infinite.
    """
    known = np.isfinite(values)
    sums = np.where(known, values, 0) * weights[:, None]
    sizes = known * weights[:, None]
    drawn = [_ratio(counts @ sums, counts @ sizes) for counts in counts_of(len(values))]
    replicates = np.concatenate(drawn)
    tail = (1 - LEVEL) / 2
    ends = np.stack([_quantiles(one, (tail, 1 - tail)) for one in replicates.T])
    ends[np.isinf(values).any(axis=0)] = np.nan
    return ends


def counts_of(images: int, at_once: int = AT_ONCE) -> Iterator[Float[np.ndarray, "resample image"]]:
    """How often each resample holds each image, some resamples at a time."""
    generator = np.random.default_rng(SEED)
    rows = max(1, at_once // images)
    for first in range(0, RESAMPLES, rows):
        chosen = generator.integers(images, size=(min(rows, RESAMPLES - first), images))
        yield _count(chosen).astype(np.float64)


def as_dict() -> dict[str, float]:
    """The choices, for the report."""
    return {"level": LEVEL, "resamples": RESAMPLES, "seed": SEED}


def _count(chosen: Int[np.ndarray, "resample image"]) -> Int[np.ndarray, "resample image"]:
    rows, images = chosen.shape
    flat = chosen + images * np.arange(rows)[:, None]
    return np.bincount(flat.ravel(), minlength=rows * images).reshape(rows, images)


def _ratio(
    sums: Float[np.ndarray, "resample metric"], sizes: Float[np.ndarray, "resample metric"]
) -> Float[np.ndarray, "resample metric"]:
    return np.divide(sums, sizes, out=np.full_like(sums, np.nan), where=sizes > 0)


def _quantiles(
    replicates: Float[np.ndarray, " resample"], ends: tuple[float, float]
) -> Float[np.ndarray, " 2"]:
    """Of the resamples that have a value; nan where none has."""
    found = replicates[np.isfinite(replicates)]
    return np.quantile(found, ends) if len(found) else np.full(2, np.nan)
