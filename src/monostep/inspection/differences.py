"""How far two forms of one model are apart on a picture: in depth, and in degrees.

The angle between two normals says how far the decoder's vectors are apart only where those are long
enough. One of length 0.02 turns by half a degree for what would not be seen in a map of depth, so
that the angle of a vector shorter than `SHORT` counts in proportion to its length.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monostep import results
from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals
from monostep.images.fit import Placement
from monostep.inference import Inference
from monostep.metrics.normals import angle_deg
from monostep.predictor import Predictor
from monostep.results import Result, map_of

# Length of a decoded vector from which an angle counts in full; a trained network's is about 1.
# 0.05 degrees of such a one are 2e-4 of the decoded channels, and so are 1e-4 of depth.
SHORT = 0.2
NORMALS = "normals"

Lengths = Float[Tensor, "height width"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Between two results for a picture of this (height, width): of depth, or in degrees.

    Of a model that is told the domain, the worst of all domains.
    """

    map: str  # "depth" or "normals"
    size: tuple[int, int]
    largest: float
    mean: float


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A result, and how long the vectors were that its normals are the directions of."""

    result: Result
    lengths: Lengths | None  # None where it has no normals


class Observed(Predictor):
    """A predictor that also tells the lengths of the vectors, which results do not have."""

    _lengths: Lengths | None = None

    def see(self, picture: Float[Tensor, "3 height width"], how: Inference) -> Seen:
        """What is predicted of one picture at its own resolution, by one member."""
        (result,) = self.predict([picture], how)
        return Seen(result=result, lengths=self._lengths)

    def _result(
        self,
        decoded: Float[Tensor, "map member channel height width"],
        place: Placement,
        how: Inference,
    ) -> Result:
        if NORMALS in self.card.maps:
            vectors = decoded[self.card.maps.index(NORMALS), 0].float()
            self._lengths = results.fits(self.card, how).crop(vectors, place).norm(dim=0)
        return super()._result(decoded, place, how)


def largest(kind: str, found: Sequence[Seen], expected: Sequence[Seen]) -> Difference:
    """Of one kind of map, over pairs of results for one picture."""
    off = torch.stack([apart(kind, *pair) for pair in zip(found, expected, strict=True)])
    return Difference(
        map=kind,
        size=(off.shape[-2], off.shape[-1]),
        largest=float(off.max()),
        mean=float(off.mean((1, 2)).max()),
    )


def apart(kind: str, one: Seen, other: Seen) -> Float[Tensor, "height width"]:
    """At every pixel: of depth, or in degrees, fewer where both vectors are short."""
    left, right = map_of(one.result, kind), map_of(other.result, kind)
    if isinstance(left, Depth):
        return (left.tensor - right.tensor).abs()
    assert isinstance(left, Normals) and one.lengths is not None and other.lengths is not None
    angle = angle_deg(left.tensor[None].double(), right.tensor[None].double())[0]
    return angle * (torch.maximum(one.lengths, other.lengths) / SHORT).clamp(max=1)
