"""The held-out procedural scenes, rendered as they are asked for."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from monostep.data.procedural import render
from monostep.data.procedural.render import VERSION
from monostep.data.samples import KINDS
from monostep.data.splits import SEEDS
from monostep.errors import SettingError
from monostep.evaluation.case import Case
from monostep.evaluation.rules import BY_IMAGE, DepthRules, Input, NormalsRules, Rules, Task

LEAST_M = 1e-3  # aligned depth is raised to this


@dataclass(frozen=True, kw_only=True)
class Procedural:
    """Protocol `procedural-1`: held-out procedural scenes beside trivial baselines.

    Raises:
        SettingError: nothing to render.
    """

    images: int = 300
    height: int = 192
    width: int = 256
    seed: int = SEEDS["test"]
    far_m: float = 80.0  # depth is judged on surfaces that are at most this far
    baseline_scenes: int = 1000  # training scenes whose mean the baselines are
    baseline_height: int = 24
    baseline_width: int = 32
    baseline_seed: int = SEEDS["train"]

    name = "procedural"
    protocol = "procedural-1"
    beside_baselines = True  # no paper gives numbers to compare with

    def __post_init__(self) -> None:
        """Refuse what cannot be rendered."""
        for field in ("images", "height", "width", "baseline_scenes"):
            if getattr(self, field) < 1:
                raise SettingError(f"{field} is {getattr(self, field)}: it must be at least 1")

    @property
    def rules(self) -> Mapping[Task, Rules]:
        """Both tasks are judged image by image; a model may hear what kind of scene it is."""
        shown = Input(domain=BY_IMAGE)
        return {
            "depth": DepthRules(protocol=self.protocol, input=shown, near_m=LEAST_M),
            "normals": NormalsRules(protocol=self.protocol, input=shown),
        }

    @cached_property
    def names(self) -> Sequence[str]:
        """The scenes' numbers, in six digits."""
        return [f"{index:06d}" for index in range(self.images)]

    def load(self, index: int, *, image: bool = True) -> Case:
        """Render a scene; with or without its picture it takes the same time."""
        scene = render(self.seed, [index], (self.height, self.width))
        valid, depth_m = scene.valid[0], scene.depth_m[0]
        kind = KINDS[int(scene.kind[0])]
        return Case(
            name=self.names[index],
            stratum=kind,
            domain=kind,
            image=scene.image[0] if image else None,
            depth_m=depth_m,
            depth_valid=valid & (depth_m <= self.far_m),
            normals=scene.normals[0],
            normals_valid=valid,
        )

    def about(self) -> Mapping[str, Any]:
        """The scenes by seed and size, the version of the renderer, and what the baselines see."""
        return {"renderer": VERSION, **dataclasses.asdict(self)}
