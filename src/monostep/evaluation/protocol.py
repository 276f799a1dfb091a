"""The choices that a score depends on, as data: they are written into every report."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from monostep.data.splits import SEEDS
from monostep.errors import SettingError

Task: TypeAlias = Literal["depth", "normals"]

ALIGNMENT = "least squares of scale and shift per image, in depth, over the valid pixels"


@dataclass(frozen=True, kw_only=True)
class Procedural:
    """Protocol `procedural-1`: held-out procedural scenes beside trivial baselines."""

    images: int = 300
    height: int = 192
    width: int = 256
    seed: int = SEEDS["test"]
    far_m: float = 80.0  # valid: a surface, at most this far
    least_m: float = 1e-3  # aligned depth is raised to this
    baseline_scenes: int = 1000  # training scenes whose mean the baselines are
    baseline_height: int = 24
    baseline_width: int = 32
    baseline_seed: int = SEEDS["train"]

    name = "procedural-1"

    def __post_init__(self) -> None:
        """Refuse what cannot be rendered."""
        for field in ("images", "height", "width", "baseline_scenes"):
            if getattr(self, field) < 1:
                raise SettingError(f"{field} is {getattr(self, field)}: it must be at least 1")

    def as_dict(self) -> dict[str, Any]:
        """The protocol as plain values."""
        return {"name": self.name, "alignment": ALIGNMENT, **dataclasses.asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Motorcycle:
    """Protocol `motorcycle-1`: one photograph with true depth, beside the row baseline."""

    least_m: float = 1e-3

    name = "motorcycle-1"

    def as_dict(self) -> dict[str, Any]:
        """The protocol as plain values."""
        return {"name": self.name, "alignment": ALIGNMENT, **dataclasses.asdict(self)}


Protocol: TypeAlias = Procedural | Motorcycle
