"""How the depths of one image are spread."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Map = Float[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Numbers of one depth map, over the pixels that count as valid."""

    valid_share: float  # of the image
    least: float
    median: float
    most: float
    # Correlation of the depths' ranks with the row: depth falls towards the bottom of a picture.
    downwards: float


def measure(depth_m: Map, valid: Mask) -> Spread:
    """The spread of a map; all 0 where nothing is valid."""
    known = depth_m[valid]
    if not known.numel():
        return Spread(valid_share=0.0, least=0.0, median=0.0, most=0.0, downwards=0.0)
    return Spread(
        valid_share=known.numel() / valid.numel(),
        least=float(known.min()),
        median=float(known.median()),
        most=float(known.max()),
        downwards=_downwards(depth_m, valid),
    )


def _downwards(depth_m: Map, valid: Mask) -> float:
    row = torch.arange(len(valid), dtype=torch.float32)[:, None].expand_as(depth_m)[valid]
    rank = torch.argsort(torch.argsort(depth_m[valid], stable=True)).float()
    row, rank = row - row.mean(), rank - rank.mean()
    length = row.norm() * rank.norm()
    return float(row @ rank / length) if length > 0 else 0.0
