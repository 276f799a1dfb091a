"""Placeholders for "no depth" that count as valid: 65.535, 10000, the end of a sensor's range."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from monostep.data.check.findings import Finding
from monostep.data.check.plateau import Plateau
from monostep.data.check.sky import is_sky
from monostep.data.manifest import Declaration

SHARE = 0.002  # of the valid pixels, that have exactly one value
LEAP = 2.0  # ratio to the next value: a surface has neighbours in depth
STEP = 0.05  # the same for relative depth, over the range of its values
# What integers of 8 and 16 bits, and programmers, use as the largest number, in each unit.
PLACEHOLDERS = (255, 1000, 9999, 10000, 65504, 65534, 65535, 99999, 100000, 1e6, 1e9, 1e10)
SCALES = (1.0, 1e-1, 1e-2, 1e-3)
SAME = 3  # images that end in exactly the same value, by which even a value without a leap is one
SHARE_OF_SAME = 0.005


def find(
    manifest: str, declaration: Declaration, plateaus: Mapping[str, Sequence[Plateau]]
) -> list[Finding]:
    """Images in which one value fills an end of the depths and is no surface."""
    relative = declaration.unit == "relative"
    ends = Counter(
        each.value
        for found in plateaus.values()
        for each in found
        if each.end == "most" and each.share >= SHARE_OF_SAME
    )
    shared = set() if relative else {value for value, count in ends.items() if count >= SAME}
    return [
        _finding(manifest, name, each, relative=relative)
        for name, found in plateaus.items()
        for each in found
        if _is_placeholder(each, relative=relative, shared=shared)
    ]


def _is_placeholder(plateau: Plateau, *, relative: bool, shared: set[float]) -> bool:
    if plateau.end == "far" or plateau.share < SHARE or (not relative and is_sky(plateau)):
        return False
    if plateau.end == "inside":
        return not relative and _well_known(plateau.value)
    if relative:
        return plateau.step >= STEP
    ends_all = plateau.end == "most" and (plateau.value in shared or _well_known(plateau.value))
    return plateau.leap >= LEAP or ends_all


def _well_known(value_m: float) -> bool:
    return any(
        abs(value_m - number * scale) <= 1e-5 * value_m
        for number in PLACEHOLDERS
        for scale in SCALES
    )


def _finding(manifest: str, name: str, plateau: Plateau, *, relative: bool) -> Finding:
    unit, cure = ("", "a mask") if relative else (" m", "a mask, `least_m` or `most_m`")
    return Finding(
        kind="invalid",
        severity="error",
        manifest=manifest,
        images=(name,),
        message=(
            f"{plateau.share:.2%} of the valid pixels are exactly {plateau.value:.6g}{unit}, "
            f"the next value is {plateau.neighbour:.6g}{unit}: no depth there? give {cure}"
        ),
        numbers={"value": plateau.value, "next": plateau.neighbour, "share": plateau.share},
    )
