"""The paper's tasks: the UNet learns from the loss on the decoded map of one step.

Source: E2E-FT (Garcia et al., WACV 2025), section 4. Gradients flow through the decoder, which is
frozen unless the run trains it, too.
"""

from collections.abc import Mapping

from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.geometry import decode, frames
from monostep.geometry.quantity import INVERSE
from monostep.training.batch import Batch
from monostep.training.depth_target import Map
from monostep.training.map_loss import depth_error, depth_loss, normals_error, normals_loss
from monostep.training.one_step import OneStep
from monostep.training.task import Measured, PerImage
from monostep.training.truth_config import TruthConfig
from monostep.training.varying import varied

NORMALS_FRAME = "opengl"  # what Marigold's normals models speak


class DepthTask(OneStep):
    """Fine-tunes for affine-invariant depth, or another quantity of it."""

    metric = "abs_rel"

    def loss(self, batch: Batch) -> PerImage:
        """Affine-invariant L1 of each image; before `align_from`, L1 from the normalised truth."""
        batch = varied(batch, self.config)
        return depth_loss(decode.depth(self.decoded(batch)), batch, self.config)

    def predict(self, samples: Samples) -> Map:
        """What the decoder paints of each image, turned round where large is near."""
        painted = decode.depth(self.decoded_to_score(samples))
        return -painted if self.config.quantity in INVERSE else painted

    def parts(self, samples: Samples) -> Mapping[str, Measured]:
        """AbsRel of each image on surfaces up to `far_m`, after alignment in the quantity."""
        predicted = decode.depth(self.decoded_to_score(samples))
        return {self.metric: depth_error(predicted, samples, self.config)}

    def score(self, samples: Samples) -> PerImage:
        """The same; 0 where there is no such surface."""
        return self.parts(samples)[self.metric].error


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
        batch = varied(batch, self.config)
        predicted = decode.normals(self.decoded(batch))
        return normals_loss(predicted, batch.samples, self.config, frame=self.frame)

    def predict(self, samples: Samples) -> decode.Decoded:
        """The normals of each image in the OpenCV frame."""
        predicted = decode.normals(self.decoded_to_score(samples))
        return frames.convert(predicted, source=self.frame, target="opencv")

    def parts(self, samples: Samples) -> Mapping[str, Measured]:
        """Mean angle of each image in degrees."""
        predicted = decode.normals(self.decoded_to_score(samples))
        return {self.metric: normals_error(predicted, samples, frame=self.frame)}

    def score(self, samples: Samples) -> PerImage:
        """The same; 0 where no normal is known."""
        return self.parts(samples)[self.metric].error
