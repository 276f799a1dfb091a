"""What a depth map holds: depth itself, or a function of it that is known up to scale and shift."""

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.geometry.depth import Quantity

INVERSE: frozenset[Quantity] = frozenset({"disparity", "sqrt_disparity"})  # near is large


def from_depth(depth_m: Float[Tensor, "*shape"], quantity: Quantity) -> Float[Tensor, "*shape"]:
    """The quantity of depths in metres; 0 where there is no depth (0 or below, or nan).

    Sources: inverse depth, MiDaS and Lotus; its square root, DepthMaster; the logarithm, FE2E.
    """
    some = depth_m > 0
    depth_m = torch.where(some, depth_m, torch.ones_like(depth_m))
    match quantity:
        case "depth":
            value = depth_m
        case "disparity":
            value = 1 / depth_m
        case "sqrt_disparity":
            value = depth_m.rsqrt()
        case "log_depth":
            value = depth_m.log()
    return torch.where(some, value, torch.zeros_like(value))


def to_depth(
    values: Float[Tensor, "*shape"], quantity: Quantity, *, near_m: float, far_m: float
) -> Float[Tensor, "*shape"]:
    """Metres of the quantity, within [near_m, far_m]: where it has no inverse, one of the ends."""
    match quantity:
        case "depth":
            depth_m = values
        case "disparity":
            depth_m = 1 / values.clamp_min(1 / far_m)
        case "sqrt_disparity":
            depth_m = values.clamp_min(far_m**-0.5) ** -2
        case "log_depth":
            depth_m = values.exp()
    return depth_m.clamp(near_m, far_m)
