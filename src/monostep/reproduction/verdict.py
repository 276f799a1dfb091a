"""What an interval says about a claim, given the margin that was written down before."""

from typing import Literal, TypeAlias

from monostep.reproduction.bootstrap import Ratio
from monostep.reproduction.margins import Margin

Verdict: TypeAlias = Literal["confirmed", "not confirmed", "inconclusive", "not run"]


def judge(ratio: Ratio, margin: Margin) -> Verdict:
    """Confirmed: all of the interval lies within the margin; not confirmed: all beside it.

    A ratio without an interval is judged by its value.
    """
    low = ratio.value if ratio.low is None else ratio.low
    high = ratio.value if ratio.high is None else ratio.high
    least = float("-inf") if margin.least is None else margin.least
    most = float("inf") if margin.most is None else margin.most
    if least <= low and high <= most:
        return "confirmed"
    if high < least or low > most:
        return "not confirmed"
    return "inconclusive"


def words(margin: Margin) -> str:
    """A margin as people read it."""
    if margin.least is not None and margin.most is not None:
        return f"{margin.least:.4g} to {margin.most:.4g}"
    if margin.least is not None:
        return f"at least {margin.least:.4g}"
    return f"at most {margin.most:.4g}"
