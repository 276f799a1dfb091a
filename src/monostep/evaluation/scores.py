"""What an evaluation knows of one image: a number for each metric of each method."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monostep.evaluation.rules import DepthRules, Rules, Task
from monostep.metrics import boundaries, depth, normals

MODEL = "model"  # the method that is judged; the others are baselines
PRIMARY: dict[Task, str] = {"depth": "abs_rel", "normals": "mean_angle_deg"}
EMPTY = "no valid pixel to judge"  # the problem of an image whose truth is nowhere known
_SHARES = ("delta", "within_", "boundary_")  # of what is good


@dataclass(frozen=True, kw_only=True)
class Line:
    """Scores of one image: metric by metric, method by method; none where there is a problem."""

    image: str
    stratum: str  # empty where the image could not be read
    pixels: int  # that were judged
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    problem: str | None = None  # why the image counts in no mean


def names(rules: Rules) -> tuple[str, ...]:
    """The metrics that these rules ask for, in the order of the tables."""
    if isinstance(rules, DepthRules):
        return depth.NAMES + (boundaries.NAMES if rules.boundaries else ())
    return normals.NAMES


def larger_is_better(metric: str) -> bool:
    """Whether a metric is a share of what is good, not an error."""
    return metric.startswith(_SHARES)
