"""Inverse depth stored where depth is declared.

In a picture of a plane the inverse of the depth is an affine function of the pixel, and depth is
not. So wherever a patch is flat and slanted, one of the two fits better, and tells which is which.
It stays so for any scale and shift of a disparity, and curved or fronto-parallel patches abstain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.data.check.findings import Finding
from monostep.data.check.spread import Spread
from monostep.data.manifest import Declaration

SIDES_PX = (9, 17, 33)  # of the patches, at the size at which images are looked at
SLANTED = 0.05  # standard deviation over mean of a patch, below which both fit alike
FLAT = 0.05  # rms residual over standard deviation of the better fit: still a plane
BETTER = 2.0  # ratio of the residuals that makes a vote
FEWEST = 6  # votes of a map or of all together
MAJORITY = 0.8  # of the votes
RISING = 0.25  # mean correlation of value and row: about -0.5 for depth, as floors are near below
FEWEST_IMAGES = 6  # to believe that mean

Map = Float[Tensor, "height width"]


@dataclass(frozen=True, kw_only=True)
class Votes:
    """Flat and slanted patches that say what a map is."""

    depth: int
    disparity: int

    @property
    def against(self) -> bool:
        """Whether they say clearly that it is a disparity."""
        total = self.depth + self.disparity
        return total >= FEWEST and self.disparity >= MAJORITY * total


def measure(depth_m: Map, valid: Bool[Tensor, "height width"]) -> Votes:
    """Count the patches that are planes as depth, and those that are planes as disparity."""
    usable = valid & (depth_m > 0)
    values = torch.where(usable, depth_m.double(), torch.nan)
    sides = [side for side in SIDES_PX if side <= min(values.shape)]
    counts = [_vote(values, side) for side in sides]
    return Votes(depth=sum(c[0] for c in counts), disparity=sum(c[1] for c in counts))


def find(
    manifest: str,
    declaration: Declaration,
    votes: Mapping[str, Votes],
    spreads: Mapping[str, Spread],
) -> list[Finding]:
    """Images, or the whole set, whose values behave as a disparity.

    The shift of relative depth is unknown, and without it a plane says nothing: there, and where
    no patch is flat enough, only the trend from top to bottom over many images speaks.
    """
    relative = declaration.unit == "relative" and declaration.quantity == "depth"
    counted = {} if relative else votes
    wrong = [name for name, each in counted.items() if each.against]
    total = Votes(
        depth=sum(each.depth for each in counted.values()),
        disparity=sum(each.disparity for each in counted.values()),
    )
    if total.against:  # images without a vote go with the others
        wrong = [name for name, each in counted.items() if each.disparity >= each.depth]
    if wrong:
        return [_by_planes(manifest, declaration, counted, wrong)]
    if total.depth >= FEWEST:
        return []
    return _by_trend(manifest, spreads)


def _by_planes(
    manifest: str, declaration: Declaration, votes: Mapping[str, Votes], wrong: list[str]
) -> Finding:
    against = sum(votes[name].disparity for name in wrong)
    total = against + sum(votes[name].depth for name in wrong)
    declared = (
        "declared as disparity, the values behave as depth: declare quantity depth"
        if declaration.quantity == "disparity"
        else "the values behave as inverse depth: declare quantity disparity, or invert them"
    )
    return Finding(
        kind="disparity",
        severity="error",
        manifest=manifest,
        images=tuple(wrong),
        message=f"{against} of {total} slanted planes in {len(wrong)} of {len(votes)} images: "
        f"{declared}",
        numbers={"planes_against": against, "planes": total},
    )


def _by_trend(manifest: str, spreads: Mapping[str, Spread]) -> list[Finding]:
    trends = [spread.downwards for spread in spreads.values() if spread.valid_share > 0]
    if len(trends) < FEWEST_IMAGES or fmean(trends) < RISING:
        return []
    return [
        Finding(
            kind="disparity",
            severity="warning",
            manifest=manifest,
            images=tuple(spreads),
            message=(
                f"values grow towards the bottom of the pictures (mean correlation with the row "
                f"{fmean(trends):.2f}, about -0.5 for depth): inverse depth, or pictures upside "
                "down? look at the sheet"
            ),
            numbers={"downwards": fmean(trends)},
        )
    ]


def _vote(values: Map, side: int) -> tuple[int, int]:
    as_depth, slant_depth = _misfit(values, side)
    as_disparity, slant_disparity = _misfit(1 / values, side)
    telling = torch.minimum(slant_depth, slant_disparity) > SLANTED
    telling &= torch.minimum(as_depth, as_disparity) < FLAT  # false for nan
    return (
        int((telling & (BETTER * as_disparity < as_depth)).sum()),
        int((telling & (BETTER * as_depth < as_disparity)).sum()),
    )


def _misfit(values: Map, side: int) -> tuple[Float[Tensor, " patches"], Float[Tensor, " patches"]]:
    """Residual of an affine fit over the deviation, and deviation over the mean, of each patch."""
    patches = values.unfold(0, side, side - 2).unfold(1, side, side - 2).reshape(-1, side * side)
    affine = _affine(side)
    residual = patches - (patches @ affine) @ affine.T
    deviation = patches.std(dim=1)
    return residual.square().mean(dim=1).sqrt() / deviation, deviation / patches.mean(dim=1).abs()


@lru_cache(maxsize=8)
def _affine(side: int) -> Float[Tensor, "pixels 3"]:
    """An orthonormal basis of the affine functions on a patch."""
    at = torch.arange(side, dtype=torch.float64) - side // 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    functions = torch.stack([torch.ones_like(x), x, y], dim=-1).reshape(-1, 3)
    return torch.linalg.qr(functions).Q
