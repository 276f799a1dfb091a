"""Depth and normals of one image from one call."""

from dataclasses import dataclass

from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals


@dataclass(frozen=True, kw_only=True, eq=False)
class Geometry:
    """What a joint model says of an image: both maps are on the image's own grid."""

    depth: Depth
    normals: Normals
