"""Stored depth of any declared unit and quantity as z-depth in metres."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.data.manifest import Declaration

Map = Float[Tensor, "height width"]
UNITS_IN_A_METRE = {"m": 1.0, "cm": 100.0, "mm": 1000.0, "km": 0.001}


def is_sky(stored: Map, declaration: Declaration) -> Bool[Tensor, "height width"]:
    """Where the stored value is the one that means sky."""
    if declaration.sky is None:
        return torch.zeros_like(stored, dtype=torch.bool)
    return stored == torch.tensor(declaration.sky, dtype=stored.dtype)


def z_depth(
    stored: Map, declaration: Declaration, rays: Float[Tensor, "3 height width"] | None
) -> tuple[Map, Bool[Tensor, "height width"]]:
    """Z-depth in metres, 0 where there is none, and where there is one.

    Args:
        stored: values of the file.
        declaration: what they are. Relative ones stay as they are, also where they are 0.
        rays: direction through every pixel, with z = 1; only distances need it.
    """
    known = stored.isfinite() & ~is_sky(stored, declaration)
    if declaration.quantity == "disparity":
        known &= stored > 0
        scale = 1.0 if declaration.baseline_px is None else declaration.baseline_px
        depth = scale / torch.where(known, stored, 1)
    else:
        depth = torch.where(known, stored, 0)
    if declaration.quantity == "distance":
        assert rays is not None
        depth = depth / rays.norm(dim=0)
    if declaration.unit != "relative":
        depth = depth / UNITS_IN_A_METRE[declaration.unit]
        known &= (depth > declaration.least_m) & (depth < declaration.most_m)
    known &= depth.isfinite()
    return torch.where(known, depth, 0), known
