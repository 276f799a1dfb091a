"""The paired permutation test: would such a mean difference come about by chance?

If neither of two methods is better, every image's difference could as well have the other sign.
The p-value is the share of all choices of signs whose mean is at least as far from zero.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

EXACT_UP_TO = 16  # images: 65,536 choices of signs
DRAWS = 20_000  # choices of signs where there are too many to try all
SEED = 0
AT_ONCE = 2_000_000  # numbers drawn together
_ROUNDING = 1e-12  # of all that is added: a sum in another order is not another sum


def p_value(difference: Float[np.ndarray, " image"]) -> float:
    """Two-sided p-value that paired differences have mean zero; exact for few images.

    Signs of differences that are zero change nothing, so only the others are flipped. Drawn signs
    count the observed ones as one more choice, so that p is never 0.
    """
    # In one order, so that the order of the images does not decide which signs are drawn for which.
    moving = np.sort(np.abs(difference[difference != 0]))
    least = abs(float(difference.sum())) - _ROUNDING * moving.sum()
    exact = len(moving) <= EXACT_UP_TO
    extreme = tried = 0
    for signs in _all(len(moving)) if exact else _drawn(len(moving)):
        extreme += int((np.abs(signs @ moving) >= least).sum())
        tried += len(signs)
    return extreme / tried if exact else (extreme + 1) / (tried + 1)


def _all(images: int) -> Iterator[Float[np.ndarray, "choice image"]]:
    choices = np.arange(1 << images)[:, None] >> np.arange(images)
    yield 2.0 * (choices & 1) - 1


def _drawn(images: int) -> Iterator[Float[np.ndarray, "choice image"]]:
    generator = np.random.default_rng(SEED)
    rows = max(1, AT_ONCE // images)
    for first in range(0, DRAWS, rows):
        size = (min(rows, DRAWS - first), images)
        yield 2.0 * generator.integers(2, size=size, dtype=np.int8) - 1
