"""How a prediction is made and judged, as data: every choice is written into the report."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from monostep.metrics.alignments import Alignment

Task: TypeAlias = Literal["depth", "normals"]
TASKS: tuple[Task, ...] = get_args(Task)
Colours: TypeAlias = Literal["as they are", "stretched"]
"""stretched: the reference's input of normals, distorted by a round trip (spec of DSINE input)."""

BY_IMAGE = "by image"  # the domain of a set of several: each image's own


@dataclass(frozen=True, kw_only=True)
class Input:
    """How the model is shown the image, unless the user says otherwise."""

    resolution: int | None = None  # long side in pixels; 0 the image's own; None: by the card
    fit: str = "pad"  # "reference": as the published scripts do
    colours: Colours = "as they are"
    domain: str | None = None  # for models that are told, or BY_IMAGE; None: by the card


@dataclass(frozen=True, kw_only=True)
class DepthRules:
    """How depth is judged. Every metric is computed per image and averaged over images."""

    protocol: str  # with its version: marigold-2024, monostep-1
    input: Input = field(default_factory=Input)
    alignment: Alignment | None = None  # None: the space of the prediction's own quantity
    near_m: float = 1e-6  # aligned depth is clipped to these
    far_m: float = float("inf")
    align_side: int | None = None  # columns thinned as if the long side were this; rows never are
    boundaries: bool = False  # also how well depth edges are met

    def as_dict(self) -> dict[str, Any]:
        """The rules as plain values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True)
class NormalsRules:
    """How normals are judged: over the pixels of each image, or over all pixels of all images."""

    protocol: str  # dsine-2024, e2e-ft-2024, monostep-1
    input: Input = field(default_factory=Input)
    pooled: bool = False  # True: the scores are those of all valid pixels together

    def as_dict(self) -> dict[str, Any]:
        """The rules as plain values."""
        return dataclasses.asdict(self)


Rules: TypeAlias = DepthRules | NormalsRules


def tasks_of(maps: Sequence[str]) -> tuple[Task, ...]:
    """The tasks in which a model with these maps can be judged."""
    return tuple(task for task in TASKS if maps.count(task))
