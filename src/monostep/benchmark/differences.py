"""How far maps are apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from monostep.benchmark.program import Map

KINDS = {1: {"depth": 1}, 3: {"normals": 3}, 4: {"depth": 1, "normals": 3}}  # by channels


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Between two maps, over all pixels and channels, and how far the reference spreads."""

    largest: float
    mean: float
    spread: float

    def equal(self, tolerance: float) -> bool:
        """Within the tolerance; NaN agrees with nothing, and constants prove nothing."""
        return self.largest <= tolerance and self.spread > 10 * tolerance

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN."""
        return {name: value if np.isfinite(value) else None for name, value in vars(self).items()}


def difference(
    one: Float32[np.ndarray, "height width channel"],
    reference: Float32[np.ndarray, "height width channel"],
) -> Difference:
    """Between a map and its reference."""
    apart = np.abs(one.astype(np.float64) - reference)
    return Difference(
        largest=float(apart.max()), mean=float(apart.mean()), spread=float(reference.std())
    )


def by_map(one: Map, reference: Map) -> dict[str, Difference]:
    """Between what was said and its reference: each kind of map, as a joint model has two."""
    found, begin = {}, 0
    for kind, channels in KINDS[one.shape[2]].items():
        part = slice(begin, begin := begin + channels)
        found[kind] = difference(one[..., part], reference[..., part])
    return found


def worst(apart: Mapping[str, Difference]) -> Difference:
    """Of several kinds of maps the largest difference, and the smallest spread."""
    return Difference(
        largest=float(np.max([each.largest for each in apart.values()])),  # NaN stays
        mean=float(np.max([each.mean for each in apart.values()])),
        spread=min(each.spread for each in apart.values()),
    )
