"""What a model says after each of its steps, and how little the later ones change.

Figure 2 of the paper: with leading spacing the first step says nothing, because the network is told
that noise is an almost clean latent; with trailing spacing the first step says nearly all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry.depth import Depth
from monostep.inference import Inference
from monostep.metrics.normals import angle_deg
from monostep.predictor import Predictor
from monostep.results import MapResult, map_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """The map of one kind after each step of one way through the model; `spread` is [H, W].

    The spread is the standard deviation over the steps: of depth in its own unit, of normals as the
    root mean square angle from their mean direction, in degrees.
    """

    name: str  # the spacing, and of a joint model ".depth" or ".normals"
    spacing: str
    kind: str  # "depth" or "normals"
    times: tuple[int, ...]
    results: tuple[MapResult, ...]
    spread: Float[Tensor, "height width"]

    def numbers(self) -> dict[str, Any]:
        """Mean spread, and how far the first result is from the last."""
        first, last = self.results[0], self.results[-1]
        return {
            "spacing": self.spacing,
            "map": self.kind,
            "timesteps": list(self.times),
            "unit": "depth, 0 to 1" if isinstance(last, Depth) else "degrees",
            "spread_over_steps": float(self.spread.mean()),
            "distance_to_last": [float(_distance(each, last).mean()) for each in self.results],
            "first_to_last_correlation": _correlation(first.tensor, last.tensor),
        }


def spacings(predictor: Predictor) -> Sequence[str]:
    """The spacings worth comparing: the right one and the flaw, or the only one there is."""
    return ("lcm",) if predictor.card.family == "consistency" else ("trailing", "leading")


def follow(
    predictor: Predictor, picture: Float[Tensor, "3 height width"], inference: Inference
) -> list[Trajectory]:
    """Decode the clean latent after every step of a picture in [0, 1]: each kind of map."""
    steps = predictor.trajectory(picture, replace(inference, ensemble=1))
    kinds, found = predictor.card.maps, []
    for kind in kinds:
        results = tuple(map_of(result, kind) for _, result in steps)
        found.append(
            Trajectory(
                name=inference.spacing + (f".{kind}" if len(kinds) > 1 else ""),
                spacing=inference.spacing,
                kind=kind,
                times=tuple(time for time, _ in steps),
                results=results,
                spread=_spread(results),
            )
        )
    return found


def _spread(results: Sequence[MapResult]) -> Float[Tensor, "height width"]:
    maps = torch.stack([result.tensor for result in results])
    if isinstance(results[0], Depth):
        return maps.std(dim=0, correction=0)
    mean = maps.mean(dim=0, keepdim=True).expand_as(maps)
    return angle_deg(maps, mean).square().mean(dim=0).sqrt()


def _distance(one: MapResult, other: MapResult) -> Float[Tensor, "height width"]:
    if isinstance(one, Depth):
        return (one.tensor - other.tensor).abs()
    return angle_deg(one.tensor[None], other.tensor[None])[0]


def _correlation(one: Tensor, other: Tensor) -> float | None:
    """Pearson's, over all values; None for a constant map, which correlates with nothing."""
    both = torch.stack([one.flatten(), other.flatten()]).double()
    if float(both.std(dim=1).min()) == 0:
        return None
    return float(torch.corrcoef(both)[0, 1])
