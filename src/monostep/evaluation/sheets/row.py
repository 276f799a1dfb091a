"""What a sheet shows of one image."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

Map = Float[Tensor, "height width"] | Float[Tensor, "3 height width"]
"""Depth in metres, aligned with the truth; or normals in the OpenCV frame, of any length."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedMap:
    """What one contender says of an image."""

    name: str
    values: Map | None  # None: it has no prediction for this image
    score: float | None  # the sheet's metric on this image


@dataclass(frozen=True, kw_only=True, eq=False)
class SheetRow:
    """An image, its truth and what every contender makes of it, all of one size."""

    title: str  # above the row: why the image is here, and its name
    image: Float[Tensor, "3 height width"]  # sRGB in [0, 1]
    truth: Map
    valid: Bool[Tensor, "height width"]  # where the truth is known and judged
    maps: Sequence[NamedMap]
