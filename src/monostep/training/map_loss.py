"""The losses and scores of decoded maps against true depth and normals, image by image.

Source: E2E-FT (Garcia et al., WACV 2025), section 4.
"""

from jaxtyping import Bool
from torch import Tensor

from monostep.data.samples import Samples
from monostep.geometry import alignment, decode, frames, masked
from monostep.geometry.quantity import from_depth, to_depth
from monostep.losses.depth import aligned_residual, normalised_l1
from monostep.losses.gradient import gradient_matching
from monostep.losses.normals import angular
from monostep.losses.pooled import shares
from monostep.metrics.depth import abs_rel
from monostep.metrics.normals import mean_angle_deg
from monostep.training.batch import Batch
from monostep.training.depth_target import Map, target
from monostep.training.task import Measured, PerImage
from monostep.training.truth_config import TruthConfig

NEAR_M = 1e-3  # aligned depths below count as this near


def depth_loss(predicted: Map, batch: Batch, config: TruthConfig) -> PerImage:
    """Affine-invariant L1 of each image; before `align_from`, L1 from the normalised truth."""
    truth, weight = target(batch.samples, config)
    if batch.step < config.align_from * config.steps:
        means = normalised_l1(predicted, truth, weight)
    else:
        means = _aligned(predicted, truth, weight, config)
    return shares(means, weight) if config.pool == "batch" else means


def _aligned(predicted: Map, truth: Map, weight: Map, config: TruthConfig) -> PerImage:
    residual = aligned_residual(predicted, truth, weight, unit=config.depth_unit)
    means = masked.mean(residual.abs(), weight)
    if config.gradient_weight == 0:
        return means
    slopes = gradient_matching(residual, weight, scales=config.gradient_scales)
    return means + config.gradient_weight * slopes


def depth_error(predicted: Map, samples: Samples, config: TruthConfig) -> Measured:
    """AbsRel of each image on surfaces up to `far_m`, after alignment in the quantity."""
    predicted = predicted.double()
    valid = samples.valid & (samples.depth_m <= config.far_m)
    truth = from_depth(samples.depth_m.double(), config.quantity)
    aligned = alignment.fit(predicted, truth, valid.double()).apply(predicted)
    metres = to_depth(aligned, config.quantity, near_m=NEAR_M, far_m=config.far_m).float()
    return _measured(abs_rel(metres, samples.depth_m, valid), valid)


def normals_loss(
    predicted: decode.Decoded, samples: Samples, config: TruthConfig, *, frame: str
) -> PerImage:
    """Mean angle of each image in radians; unit vectors in the network's own frame."""
    weight = known(samples) * samples.trust()
    means = angular(predicted, _truth(samples, frame), weight)
    return shares(means, weight) if config.pool == "batch" else means


def normals_error(predicted: decode.Decoded, samples: Samples, *, frame: str) -> Measured:
    """Mean angle of each image in degrees."""
    valid = known(samples) > 0
    return _measured(mean_angle_deg(predicted, _truth(samples, frame), valid), valid)


def _measured(error: PerImage, valid: Bool[Tensor, "batch height width"]) -> Measured:
    return Measured(error=error, told=valid.flatten(1).any(dim=1))


def _truth(samples: Samples, frame: str) -> decode.Decoded:
    return frames.convert(samples.normals, source="opencv", target=frame)


def known(samples: Samples) -> Map:
    """1 where a valid pixel has a true normal, else 0."""
    return (samples.valid & (samples.normals.square().sum(dim=1) > 0)).float()
