"""What is wrong with the images of one manifest, alone and beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monostep.data.check import (
    constants,
    disparity,
    facing,
    invalid,
    registration,
    sizes,
    sky,
    units,
)
from monostep.data.check.entries import Entry
from monostep.data.check.findings import Finding
from monostep.data.check.looked import Looked

_SWAYS = 0.4  # share of one value at which the median says little of the rest


def find(entries: Sequence[Entry], looked: Mapping[str, Looked]) -> list[Finding]:
    """Every finding but those that concern several manifests or files that cannot be read."""
    declaration = entries[0].declaration
    name = declaration.name
    own = {each.name: looked[each.name] for each in entries if each.name in looked}
    dull = constants.find(
        name, _of(own, "spread"), {key: each.contrast for key, each in own.items()}
    )
    # What has one defect is not told as another that only follows from it.
    own = _without(own, dull)
    plateaus = {key: each.plateaus for key, each in own.items()}
    filled = [*invalid.find(name, declaration, plateaus), *sky.find(name, plateaus)]
    inverse = disparity.find(name, declaration, _of(own, "votes"), _of(own, "spread"))
    measured = _without(own, [each for each in inverse if each.severity == "error"])
    usual = _without(measured, [each for each in filled if each.numbers["share"] > _SWAYS])
    shifted = registration.find(name, _of(own, "overlap"))
    kinds = {each.name: each.row.kind for each in entries}
    return [
        *dull,
        *filled,
        *inverse,
        *sizes.find(name, _of(own, "scale")),
        *units.find(name, declaration, _of(usual, "spread"), kinds),
        *shifted,
        *facing.find(name, declaration.frame, _of(_without(measured, shifted), "agreement")),
    ]


def _of(looked: Mapping[str, Looked], field: str) -> dict[str, Any]:
    """One of the measures of each image that has it."""
    values = {name: getattr(each, field) for name, each in looked.items()}
    return {name: value for name, value in values.items() if value is not None}


def _without(looked: Mapping[str, Looked], findings: Sequence[Finding]) -> dict[str, Looked]:
    told = {image for finding in findings for image in finding.images}
    return {name: each for name, each in looked.items() if name not in told}
