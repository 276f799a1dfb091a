"""Normals in another frame than declared: an axis that points the other way, or axes swapped.

The depth map gives normals too. The mean products of their components with those of the stored
ones, nine numbers, say for each way to swap and flip axes how well the two agree.
"""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Bool, Float
from torch import Tensor

from monostep.data.check.findings import Finding
from monostep.geometry import frame_agreement
from monostep.geometry.frame_agreement import Agreement
from monostep.geometry.frames import SIGNS, Frame

# By how much another frame must be better than the declared one, and more where even the best fits
# badly. In clean renders none is better at all, with a guessed camera and whole millimetres
# neither.
GAIN, GAIN_OF_ALL = 0.05, 0.03


def measure(
    normals: Float[Tensor, "3 height width"],
    depth_m: Float[Tensor, "height width"],
    valid: Bool[Tensor, "height width"],
    intrinsics: Float[Tensor, "3 3"] | None,
) -> Agreement | None:
    """Compare stored normals with those of the depth; None where too few pixels have both."""
    return frame_agreement.compare(normals, frame_agreement.normals_of(depth_m, valid, intrinsics))


def find(manifest: str, declared: Frame, agreements: Mapping[str, Agreement]) -> list[Finding]:
    """Images whose normals agree with their depth in another frame; or all of them together."""
    if not agreements:
        return []
    every = list(agreements.values())
    together = frame_agreement.together(every)
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
    return frame_agreement.is_better(agreement.best()[0], agreement.declared, gain)


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
    parts = frame_agreement.taken_from(axes, signs)
    return f"with their x, y, z taken from {parts}: write them anew"
