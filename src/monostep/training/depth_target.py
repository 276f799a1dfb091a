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
    """Truth in metres with sky and all beyond `far_m` at `far_m`, and each pixel's weight.

    The weight is 1, or `sky_weight` at `far_m`, times how far the truth is to be trusted.
    """
    far = samples.sky | (samples.valid & (samples.depth_m > config.far_m))
    depth_m = torch.where(far, torch.full_like(samples.depth_m, config.far_m), samples.depth_m)
    weight = torch.where(far, config.sky_weight, samples.valid.float())
    return depth_m, weight * samples.trust()


def target(samples: Samples, config: TruthConfig) -> tuple[Map, Map]:
    """The quantity that the decoder is to paint, and each pixel's weight."""
    depth_m, weight = far_depth(samples, config)
    if config.clip_target:
        depth_m, weight = clipped(depth_m, weight)
    return from_depth(depth_m, config.quantity), weight
