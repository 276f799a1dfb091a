"""One image of a benchmark with its true geometry."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from monostep.geometry.domain import Domain


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """What a model is shown, and what it is judged by; `valid` says at which pixels."""

    name: str  # unique in its benchmark: the image's path below the root, or a scene's number
    stratum: str  # a kind of image that is reported on its own
    domain: Domain | None = None  # where it was taken, as far as the data say
    image: Float[Tensor, "3 height width"] | None  # sRGB in [0, 1]; None: nobody asked for it
    depth_m: Float[Tensor, "height width"] | None = None  # None: not known
    depth_valid: Bool[Tensor, "height width"] | None = None
    normals: Float[Tensor, "3 height width"] | None = None  # OpenCV frame, of any length above 0
    normals_valid: Bool[Tensor, "height width"] | None = None
