"""Sky that counts as a surface: a far plateau along the top of the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monostep.data.check.findings import Finding
from monostep.data.check.plateau import Plateau

FAR_M = 40.0  # nearer than this, one value along the top may be a wall that faces the camera
OF_TOP = 0.3  # share of the top rows
UPPER = 0.5  # the mean row is above the middle of the picture
SHARE = 0.01  # of the valid pixels
APART = 3.0  # times the next nearer depth, at which even near values are no wall


def is_sky(plateau: Plateau) -> bool:
    """Whether it lies where sky does, and as far."""
    placed = plateau.of_top >= OF_TOP and plateau.height < UPPER and plateau.share >= SHARE
    far = plateau.value >= FAR_M or (plateau.end == "most" and plateau.leap >= APART)
    return placed and far and plateau.end != "least"


def find(manifest: str, plateaus: Mapping[str, Sequence[Plateau]]) -> list[Finding]:
    """Images whose sky has a depth that counts; one value of it is an error, a range may be hills.

    Only the first plateau of an image is told.
    """
    skies = {name: [p for p in found if is_sky(p)] for name, found in plateaus.items()}
    return [
        Finding(
            kind="sky",
            severity="warning" if found[0].end == "far" else "error",
            manifest=manifest,
            images=(name,),
            message=(
                f"{found[0].value:.6g} m {'and beyond ' if found[0].end == 'far' else ''}fills "
                f"{found[0].of_top:.0%} of the top rows and {found[0].share:.1%} of the valid "
                "pixels: sky? declare `sky` or `most_m`, or mask it"
            ),
            numbers={"value_m": found[0].value, "share": found[0].share, "top": found[0].of_top},
        )
        for name, found in skies.items()
        if found
    ]
