"""From seconds to what is said of them: pure arithmetic."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The median of several measurements and between which values they lie."""

    median: float
    lowest: float
    highest: float


def summary(values: Sequence[float]) -> Summary:
    """Of at least one measurement."""
    return Summary(median=statistics.median(values), lowest=min(values), highest=max(values))


def pairwise(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """The median over rounds of the ratio in each round, which what disturbs both does not touch.

    Not the ratio of the medians: these may come from rounds in which the machine differed.
    """
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def quotient(numerator: float | None, denominator: float | None) -> float | None:
    """None where either is not known."""
    return numerator / denominator if numerator is not None and denominator else None


def stepwise(
    seconds: Mapping[str, Sequence[float]], *, steps: int, members: int, made_of: int
) -> list[float]:
    """Seconds that many steps and members take in each round, from stages measured with few.

        encode + members (steps UNet + decode)

    Args:
        seconds: of the stages encode, unet and decode, by round.
        steps: of each member.
        members: of the ensemble.
        made_of: steps that the measured UNet's seconds are the sum of.
    """
    rounds = zip(seconds["encode"], seconds["unet"], seconds["decode"], strict=True)
    return [encode + members * (steps * unet / made_of + decode) for encode, unet, decode in rounds]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Between two maps, over all pixels and channels, and how far the reference spreads."""

    largest: float
    mean: float
    spread: float

    def equal(self, tolerance: float) -> bool:
        """Within the tolerance; NaN agrees with nothing, and constants prove nothing."""
        return self.largest <= tolerance and self.spread > 10 * tolerance

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN."""
        return {name: value if np.isfinite(value) else None for name, value in vars(self).items()}


def difference(
    one: Float32[np.ndarray, "height width channel"],
    reference: Float32[np.ndarray, "height width channel"],
) -> Difference:
    """Between a map and its reference."""
    apart = np.abs(one.astype(np.float64) - reference)
    return Difference(
        largest=float(apart.max()), mean=float(apart.mean()), spread=float(reference.std())
    )
