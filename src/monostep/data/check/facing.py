"""Normals in another frame than declared: an axis that points the other way, or axes swapped.

The depth map gives normals too. The mean products of their components with those of the stored
ones, nine numbers, say for each way to swap and flip axes how well the two agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations, product

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.data.check.findings import Finding
from monostep.geometry.d2nt import normals_from_depth
from monostep.geometry.frames import SIGNS, Frame

CLEAR = 0.5  # mean cosine that another frame must reach
# By how much it must be better than the declared one, and more where even the best fits badly. In
# clean renders no frame is better at all, with a guessed camera and whole millimetres neither.
GAIN, GAIN_OF_ALL = 0.05, 0.03
SLACK = 0.2  # of what the best lacks to 1
FEWEST_PX = 64
USUAL_FOCAL = 0.9  # of the longer side, where the camera is not known: signs need no more
_AXES = "xyz"

Vectors = Float[Tensor, "3 height width"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """Mean products of stored (rows) and depth's (columns) components, in the OpenCV frame."""

    products: Float[Tensor, "3 3"]

    def cosine(self, axes: tuple[int, ...], signs: tuple[int, ...]) -> float:
        """Mean cosine if component k is in truth `signs[k]` times the stored axis `axes[k]`."""
        return sum(
            sign * float(self.products[axis, k])
            for k, (axis, sign) in enumerate(zip(axes, signs, strict=True))
        )

    def best(self) -> tuple[float, tuple[int, ...], tuple[int, ...]]:
        """The highest mean cosine, and the axes and signs that give it; plain signs on a tie."""
        every = [
            (self.cosine(axes, signs), axes, signs)
            for axes in permutations(range(3))
            for signs in product((1, -1), repeat=3)
        ]
        return max(every, key=lambda each: each[0])

    @property
    def declared(self) -> float:
        """Mean cosine as declared."""
        return self.cosine((0, 1, 2), (1, 1, 1))


def measure(
    normals: Vectors,
    depth_m: Float[Tensor, "height width"],
    valid: Bool[Tensor, "height width"],
    intrinsics: Float[Tensor, "3 3"] | None,
) -> Agreement | None:
    """Compare stored normals with those of the depth; None where too few pixels have both."""
    if min(depth_m.shape) < 2:
        return None
    camera = _usual(depth_m) if intrinsics is None else intrinsics
    of_depth = normals_from_depth(depth_m, camera, valid=valid)
    both = of_depth.any(dim=0) & normals.any(dim=0)
    if int(both.sum()) < FEWEST_PX:
        return None
    return Agreement(products=normals[:, both] @ of_depth[:, both].T / both.sum())


def find(manifest: str, declared: Frame, agreements: Mapping[str, Agreement]) -> list[Finding]:
    """Images whose normals agree with their depth in another frame; or all of them together."""
    if not agreements:
        return []
    every = list(agreements.values())
    together = Agreement(products=torch.stack([each.products for each in every]).mean(dim=0))
    if _wrong(together, GAIN_OF_ALL):
        _, axes, signs = together.best()
        alike = [n for n, each in agreements.items() if each.cosine(axes, signs) >= each.declared]
        return [_finding(manifest, declared, tuple(alike), together)]
    return [
        _finding(manifest, declared, (name,), each)
        for name, each in agreements.items()
        if _wrong(each, GAIN)
    ]


def _wrong(agreement: Agreement, gain: float) -> bool:
    best = agreement.best()[0]
    return best >= CLEAR and best >= agreement.declared + gain + SLACK * (1 - best)


def _finding(
    manifest: str, declared: Frame, images: tuple[str, ...], agreement: Agreement
) -> Finding:
    best, axes, signs = agreement.best()
    return Finding(
        kind="normals",
        severity="error",
        manifest=manifest,
        images=images,
        message=(
            f"normals agree with the depth's at a mean cosine of {agreement.declared:.2f} as "
            f"{declared}, but {best:.2f} {_said(declared, axes, signs)}"
        ),
        numbers={"declared": agreement.declared, "best": best},
    )


def _said(declared: Frame, axes: tuple[int, ...], signs: tuple[int, ...]) -> str:
    stored = tuple(a * b for a, b in zip(SIGNS[declared], signs, strict=True))
    name = next((name for name, each in SIGNS.items() if each == stored), None)
    if axes == (0, 1, 2) and name:
        return f"as {name}: declare that frame"
    parts = [f"{'-' if s < 0 else ''}{_AXES[a]}" for a, s in zip(axes, signs, strict=True)]
    return f"with their x, y, z taken from {', '.join(parts)}: write them anew"


def _usual(depth_m: Float[Tensor, "height width"]) -> Float[Tensor, "3 3"]:
    height, width = depth_m.shape
    focal = USUAL_FOCAL * max(height, width)
    return torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
