"""From seconds to what is said of them: pure arithmetic."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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
