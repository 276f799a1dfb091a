"""What an ensemble comes to: one map, and how far its members are from it."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Merged:
    """One map made of several, with the disagreement of the members at every pixel.

    For depth: values [height, width] in [0, 1], uncertainty in the same units. For normals: values
    [3, height, width], uncertainty as an angle divided by pi, in [0, 1].
    """

    values: Float[Tensor, "..."]
    uncertainty: Float[Tensor, "height width"]
