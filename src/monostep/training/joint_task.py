"""What both ways to train a network for depth and normals share: what learns, and its score."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeAlias, TypeVar

from jaxtyping import Float
from torch import Tensor

from monostep.data.samples import Samples
from monostep.diffusion.joint_diffusion import Context, JointDiffusion
from monostep.geometry import decode, frames
from monostep.geometry.quantity import INVERSE
from monostep.images.squash import squash
from monostep.training.depth_target import Map
from monostep.training.geometry_config import GeometryConfig
from monostep.training.map_loss import depth_error, normals_error
from monostep.training.one_step import check_inputs, trained_part
from monostep.training.task import Measured, PerImage

Number = TypeVar("Number", float, Tensor)
Maps: TypeAlias = tuple[Map, decode.Decoded]  # affine depth, unit vectors in the network's frame


class JointTask(ABC):
    """A joint model and the part of it that learns."""

    metric = "geometry_error"

    def __init__(self, model: JointDiffusion, config: GeometryConfig, *, frame: str) -> None:
        """Take the frame of normals of the result's card."""
        check_inputs(model, config.noise)
        config.check_sizes(model.multiple)
        self.model = model
        self.config = config
        self.frame = frames.check(frame)
        self.trained = trained_part(
            model,
            encoder=config.train_encoder,
            decoder=config.train_decoder,
            image_encoder=config.train_image_encoder,
        )

    @abstractmethod
    def maps_to_score(self, samples: Samples) -> Maps:
        """Both maps of each image, from the same noise in every validation, image and half."""

    def predict(self, samples: Samples) -> Maps:
        """Depth of each image, small where near, and its normals in the OpenCV frame."""
        painted, normals = self.maps_to_score(samples)
        depth = -painted if self.config.quantity in INVERSE else painted
        return depth, frames.convert(normals, source=self.frame, target="opencv")

    def parts(self, samples: Samples) -> Mapping[str, Measured]:
        """AbsRel and mean angle in degrees of each image, either where its truth is known."""
        depth, normals = self.maps_to_score(samples)
        return {
            "abs_rel": depth_error(depth, samples, self.config),
            "mean_angle_deg": normals_error(normals, samples, frame=self.frame),
        }

    def whole(self, parts: Mapping[str, Number]) -> Number:
        """The one number that says which weights are the best, of both parts or of their means.

        AbsRel + angle / 100: a degree weighs as much as a hundredth of AbsRel.
        """
        return parts["abs_rel"] + parts["mean_angle_deg"] / 100

    def score(self, samples: Samples) -> PerImage:
        """The number of each image; a part whose truth is not known is 0."""
        return self.whole({name: part.error for name, part in self.parts(samples).items()})

    def context(self, samples: Samples) -> Context:
        """What the UNet reads of the images, and of where they were taken."""
        return self.model.context(squash(samples.image, self.model.side), samples.kind)


def split(decoded: Float[Tensor, "both_halves 3 height width"]) -> Maps:
    """Depths and normals of the two halves of decoded maps."""
    depths, normals = decoded.chunk(2)
    return decode.depth(depths), decode.normals(normals)
