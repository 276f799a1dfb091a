"""Maps and pictures with nothing in them: constant, or without a single valid pixel."""

from __future__ import annotations

from collections.abc import Mapping

from monostep.data.check.findings import Finding
from monostep.data.check.spread import Spread

FLAT = 1e-5  # of the median: less than the rounding of a sensor, more than that of float32
FEW = 2e-4  # share of valid pixels: ten of an image at the size at which it is looked at
BLANK = 2 / 255  # of a picture: what is left of one colour after JPEG


def find(
    manifest: str, spreads: Mapping[str, Spread], contrasts: Mapping[str, float]
) -> list[Finding]:
    """Depth maps of one value or of none, and pictures of one colour.

    Args:
        manifest: name of the data.
        spreads: of the depth maps, by image.
        contrasts: lightest minus darkest colour in [0, 1], by image.
    """
    blank = {name: _blank(contrast) for name, contrast in contrasts.items()}
    flat = {name: _flat(spread) for name, spread in spreads.items()}
    return [
        Finding(
            kind="constant",
            severity="error",
            manifest=manifest,
            images=(name,),
            message=message,
            numbers=numbers,
        )
        for name, (message, numbers) in [*blank.items(), *flat.items()]
        if message
    ]


def _blank(contrast: float) -> tuple[str, dict[str, float]]:
    if contrast > BLANK:
        return "", {}
    message = f"the picture is one colour (contrast {contrast:.4f} of 1); take the image out"
    return message, {"contrast": contrast}


def _flat(spread: Spread) -> tuple[str, dict[str, float]]:
    if spread.valid_share < FEW:
        return (
            f"{spread.valid_share:.3%} of the depths are valid; take the image out, or check the "
            "mask and the unit",
            {"valid_share": spread.valid_share},
        )
    if spread.most - spread.least > FLAT * abs(spread.median):
        return "", {}
    return (
        f"every valid depth is {spread.median:.6g} m; take the image out, or write the map anew",
        {"median_m": spread.median, "valid_share": spread.valid_share},
    )
