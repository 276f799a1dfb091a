"""What a benchmark hands to a model, and what it hands to the judge."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """Some images of one size with their true geometry; `valid` says which pixels are judged."""

    names: tuple[str, ...]
    strata: tuple[str, ...]  # one per image: a kind of scene that is reported on its own
    image: Float[Tensor, "batch 3 height width"]  # sRGB in [0, 1]
    depth_m: Float[Tensor, "batch height width"]
    depth_valid: Bool[Tensor, "batch height width"]
    normals: Float[Tensor, "batch 3 height width"] | None  # OpenCV frame; None: not known
    normals_valid: Bool[Tensor, "batch height width"] | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images in pixels."""
        return self.image.shape[2], self.image.shape[3]
