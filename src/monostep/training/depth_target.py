"""True depth as a run learns it: what counts as far, what is clamped, in which quantity."""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.samples import Samples
from monostep.geometry.quantity import from_depth
from monostep.losses.depth import clipped
from monostep.training.truth_config import TruthConfig

Map: TypeAlias = Float[Tensor, "batch height width"]


def far_depth(samples: Samples, config: TruthConfig) -> tuple[Map, Map]:
    """Truth in metres, with sky and all beyond `far_m` as far as the image's farthest surface.

    No farther: an affine fit that has to reach a sky at `far_m` is decided by it alone, although
    the map is used, and judged, on surfaces. Where there is none, at `far_m`. Each pixel's weight
    is 1, or `sky_weight` where the depth was replaced, times how far the truth is to be trusted.
    An autoencoder paints depth and fits nothing: its sky is at `far_m`.
    """
    far = samples.sky | (samples.valid & (samples.depth_m > config.far_m))
    surface = torch.where(samples.valid & ~far, samples.depth_m, 0.0)
    farthest = surface.flatten(1).amax(dim=1)[:, None, None]
    fitted = config.task != "autoencoder"
    farthest = torch.where(fitted & (farthest > 0), farthest, config.far_m)
    depth_m = torch.where(far, farthest, samples.depth_m)
    weight = torch.where(far, config.sky_weight, samples.valid.float())
    return depth_m, weight * samples.trust()


def target(samples: Samples, config: TruthConfig) -> tuple[Map, Map]:
    """The quantity that the decoder is to paint, and each pixel's weight."""
    depth_m, weight = far_depth(samples, config)
    if config.clip_target:
        depth_m, weight = clipped(depth_m, weight)
    return from_depth(depth_m, config.quantity), weight
