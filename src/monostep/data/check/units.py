"""Depths whose size no picture has: millimetres read as metres, or one file unlike the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from statistics import median

from monostep.data.check.findings import Finding
from monostep.data.check.spread import Spread
from monostep.data.manifest import Declaration

# Medians of an image in metres that can be: from macro shots to views from a mountain. A wrong
# unit is off by 100 or 1000, so these need not be narrow.
PLAUSIBLE_M: Mapping[str | None, tuple[float, float]] = {
    "indoor": (0.1, 60.0),
    "outdoor": (0.3, 3000.0),
    "object": (0.03, 60.0),
    None: (0.05, 1000.0),
}
USUAL_M = (0.3, 100.0)  # where a better guess at the unit should put them
DECADES = 2.0  # from the median of the rest: one image off by 100
SPREADS = 5.0  # and this many median absolute deviations, for sets from insects to mountains
FEWEST = 4  # images that make a "rest"
_METRES = {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3}


def find(
    manifest: str,
    declaration: Declaration,
    spreads: Mapping[str, Spread],
    kinds: Mapping[str, str | None],
) -> list[Finding]:
    """Images whose median depth is not plausible, or far from that of the others."""
    medians = {name: spread.median for name, spread in spreads.items() if spread.median > 0}
    if declaration.unit == "relative" or not medians:
        return []
    wrong = [name for name, m in medians.items() if not _plausible(m, kinds.get(name))]
    rest = [name for name in medians if name not in wrong]
    found = []
    if wrong:
        found.append(_implausible(manifest, declaration, [medians[n] for n in wrong], wrong, rest))
    elif not any(kinds.get(name) for name in medians):
        found += _unusual(manifest, declaration, medians)
    return found + _unlike(manifest, {name: medians[name] for name in rest})


def _plausible(median_m: float, kind: str | None) -> bool:
    low, high = PLAUSIBLE_M[kind]
    return low <= median_m <= high


def _implausible(
    manifest: str,
    declaration: Declaration,
    medians: Sequence[float],
    wrong: Sequence[str],
    rest: Sequence[str],
) -> Finding:
    typical = median(medians)
    other = _other_unit(typical, declaration)
    advice = f"; as {other} it would be {_as(typical, declaration, other):.4g} m" if other else ""
    where = "declare another unit" if len(wrong) > len(rest) else "write these files anew"
    return Finding(
        kind="unit",
        severity="error",
        manifest=manifest,
        images=tuple(wrong),
        message=(
            f"median depth {typical:.4g} m, declared as {declaration.unit}, in {len(wrong)} of "
            f"{len(wrong) + len(rest)} images: hardly possible{advice}; {where}"
        ),
        numbers={"median_m": typical},
    )


def _unusual(
    manifest: str, declaration: Declaration, medians: Mapping[str, float]
) -> list[Finding]:
    """A set without kinds, each image possible, whose middle another unit makes usual."""
    typical = median(medians.values())
    other = _other_unit(typical, declaration)
    if USUAL_M[0] <= typical <= USUAL_M[1] or other is None:
        return []
    return [
        Finding(
            kind="unit",
            severity="warning",
            manifest=manifest,
            images=tuple(medians),
            message=(
                f"median depth {typical:.4g} m, declared as {declaration.unit}: as {other} it "
                f"would be {_as(typical, declaration, other):.4g} m; declare another unit, or the "
                "kind of the images if it is right"
            ),
            numbers={"median_m": typical},
        )
    ]


def _unlike(manifest: str, medians: Mapping[str, float]) -> list[Finding]:
    if len(medians) < FEWEST:
        return []
    typical = median(medians.values())
    away = {name: log10(value / typical) for name, value in medians.items()}
    deviation = median(abs(decades) for decades in away.values())
    limit = max(DECADES, SPREADS * deviation)
    return [
        Finding(
            kind="unit",
            severity="error",
            manifest=manifest,
            images=(name,),
            message=(
                f"median depth {medians[name]:.4g} m, {10**decades:.3g} times that of the rest "
                f"({typical:.4g} m): another unit? write the file anew"
            ),
            numbers={"median_m": medians[name], "rest_m": typical, "ratio": 10**decades},
        )
        for name, decades in away.items()
        if abs(decades) >= limit
    ]


def _other_unit(median_m: float, declaration: Declaration) -> str | None:
    """The unit that makes it usual, if one does."""
    if declaration.quantity == "disparity":
        return None
    fitting = [
        unit for unit in _METRES if USUAL_M[0] <= _as(median_m, declaration, unit) <= USUAL_M[1]
    ]
    return min(
        fitting, key=lambda unit: abs(log10(_as(median_m, declaration, unit) / 2)), default=None
    )


def _as(median_m: float, declaration: Declaration, unit: str) -> float:
    return median_m / _METRES[declaration.unit] * _METRES[unit]
