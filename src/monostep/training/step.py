"""The paper's tasks: the UNet learns from the loss on the decoded map of one step.

Source: E2E-FT (Garcia et al., WACV 2025), section 4. Gradients flow through the decoder, which is
frozen unless the run trains it, too.
"""

from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.geometry import alignment, decode, frames, masked
from monostep.geometry.quantity import INVERSE, from_depth, to_depth
from monostep.losses.depth import aligned_residual, normalised_l1
from monostep.losses.gradient import gradient_matching
from monostep.losses.normals import angular
from monostep.losses.pooled import shares
from monostep.metrics.depth import abs_rel
from monostep.metrics.normals import mean_angle_deg
from monostep.training.batch import Batch
from monostep.training.depth_target import Map, far_depth, target
from monostep.training.one_step import OneStep
from monostep.training.task import PerImage
from monostep.training.truth_config import TruthConfig

__all__ = ["NORMALS_FRAME", "DepthTask", "NormalsTask", "PerImage", "far_depth"]

NORMALS_FRAME = "opengl"  # what Marigold's normals models speak
NEAR_M = 1e-3  # aligned depths below count as this near


class DepthTask(OneStep):
    """Fine-tunes for affine-invariant depth, or another quantity of it."""

    metric = "abs_rel"

    def loss(self, batch: Batch) -> PerImage:
        """Affine-invariant L1 of each image; before `align_from`, L1 from the normalised truth."""
        predicted = decode.depth(self.decoded(batch))
        truth, weight = target(batch.samples, self.config)
        if batch.step < self.config.align_from * self.config.steps:
            means = normalised_l1(predicted, truth, weight)
        else:
            means = self._aligned(predicted, truth, weight)
        return shares(means, weight) if self.config.pool == "batch" else means

    def _aligned(self, predicted: Map, truth: Map, weight: Map) -> PerImage:
        residual = aligned_residual(predicted, truth, weight, unit=self.config.depth_unit)
        means = masked.mean(residual.abs(), weight)
        if self.config.gradient_weight == 0:
            return means
        slopes = gradient_matching(residual, weight, scales=self.config.gradient_scales)
        return means + self.config.gradient_weight * slopes

    def predict(self, samples: Samples) -> Map:
        """What the decoder paints of each image, turned round where large is near."""
        painted = decode.depth(self.decoded_to_score(samples))
        return -painted if self.config.quantity in INVERSE else painted

    def score(self, samples: Samples) -> PerImage:
        """AbsRel of each image on surfaces up to `far_m`, after alignment in the quantity."""
        predicted = decode.depth(self.decoded_to_score(samples)).double()
        valid = samples.valid & (samples.depth_m <= self.config.far_m)
        truth = from_depth(samples.depth_m.double(), self.config.quantity)
        aligned = alignment.fit(predicted, truth, valid.double()).apply(predicted)
        metres = to_depth(
            aligned, self.config.quantity, near_m=NEAR_M, far_m=self.config.far_m
        ).float()
        return abs_rel(metres, samples.depth_m, valid)


class NormalsTask(OneStep):
    """Fine-tunes for surface normals in the network's own frame."""

    metric = "mean_angle_deg"

    def __init__(
        self, model: LatentDiffusion, config: TruthConfig, *, frame: str | None = None
    ) -> None:
        """Take the frame of the result's card; without one, the config's, or opengl."""
        super().__init__(model, config)
        own = NORMALS_FRAME if config.frame == "start" else config.frame
        self.frame = frames.check(frame or own)

    def loss(self, batch: Batch) -> PerImage:
        """Mean angle of each image in radians."""
        samples = batch.samples
        predicted = decode.normals(self.decoded(batch))
        weight = known(samples) * samples.trust()
        means = angular(predicted, self._truth(samples), weight)
        return shares(means, weight) if self.config.pool == "batch" else means

    def predict(self, samples: Samples) -> decode.Decoded:
        """The normals of each image in the OpenCV frame."""
        predicted = decode.normals(self.decoded_to_score(samples))
        return frames.convert(predicted, source=self.frame, target="opencv")

    def score(self, samples: Samples) -> PerImage:
        """Mean angle of each image in degrees."""
        predicted = decode.normals(self.decoded_to_score(samples))
        return mean_angle_deg(predicted, self._truth(samples), known(samples) > 0)

    def _truth(self, samples: Samples) -> decode.Decoded:
        return frames.convert(samples.normals, source="opencv", target=self.frame)


def known(samples: Samples) -> Map:
    """1 where a valid pixel has a true normal, else 0."""
    return (samples.valid & (samples.normals.square().sum(dim=1) > 0)).float()
