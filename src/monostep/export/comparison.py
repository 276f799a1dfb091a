"""An exported file beside the predictor it was made from, on the same pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, UInt8

from monostep.data.procedural.render import render
from monostep.data.splits import SEEDS
from monostep.errors import CheckpointError
from monostep.export.description import Run
from monostep.pictures import as_bytes

TOLERANCE = 1e-3  # of depth in [0, 1], and of the coordinates of unit normals
NATIVE = 128  # long side of the pictures, in pixels, where the network looks at the image's own

Picture: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
Map: TypeAlias = Float[np.ndarray, "_ _ *_"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Both in one case: one kind of map."""

    kind: str
    size: tuple[int, int]  # height and width of the picture in pixels
    difference: float  # the largest over all pixels and coordinates
    spread: float  # standard deviation of the predictor's values: two constants agree for nothing

    @property
    def equal(self) -> bool:
        """Whether the difference is allowed; NaN is not."""
        return self.difference <= TOLERANCE


def pictures(resolution: int) -> list[Picture]:
    """Three rendered scenes that `resolution` makes smaller, makes larger and leaves alone.

    One is landscape, one portrait, one narrow, and no side is divisible by anything in particular.
    """
    side = resolution or NATIVE
    sizes = [
        (side * 3 // 4 + 1, side + 9),
        (side * 5 // 6 + 1, side * 3 // 5),
        (side // 3 + 2, side),
    ]
    scenes = [render(SEEDS["test"], [index], size).image[0] for index, size in enumerate(sizes)]
    return [as_bytes(scene) for scene in scenes]


def compare(run: Run, shown: Sequence[Picture], said: Sequence[Mapping[str, Map]]) -> list[Outcome]:
    """What the exported file says of pictures beside the maps that the predictor made, by kind."""
    return [
        Outcome(
            kind=kind,
            size=(picture.shape[0], picture.shape[1]),
            difference=_largest(exported[0] - values),
            spread=float(values.std()),
        )
        for picture, maps in zip(shown, said, strict=True)
        for exported, (kind, values) in zip(run(picture[None]), maps.items(), strict=True)
    ]


def check(path: Path, outcomes: Sequence[Outcome]) -> None:
    """CheckpointError with the numbers if a difference is above the tolerance."""
    if all(outcome.equal for outcome in outcomes):
        return
    numbers = ", ".join(f"{o.kind} {o.size[0]}x{o.size[1]}: {o.difference:.1e}" for o in outcomes)
    raise CheckpointError(
        f"{path}: not written, as it differs from the model by more than {TOLERANCE:.0e} "
        f"({numbers}); try another format, or other versions of torch and the runtime"
    )


def _largest(difference: Float[np.ndarray, "height width *xyz"]) -> float:
    return float(torch.from_numpy(difference).abs().max())
