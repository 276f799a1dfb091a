"""A student's two lessons: the teacher's codec piece by piece, then the teacher's map as a whole.

Only what is used of a decoded map counts: the mean of the channels for depth, the direction for
normals. Sources: TAESD for the layout of small codecs; Hinton et al. 2015 for the principle.
"""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.geometry import decode, frames
from monostep.training.batch import Batch
from monostep.training.distil_config import CodecConfig, DistilConfig
from monostep.training.task import PerImage
from monostep.training.teacher import Teacher, clean_latent

Map: TypeAlias = Float[Tensor, "batch _ height width"]  # three channels, or one of depth


def depth_difference(student: Map, teacher: Map, *, near: float) -> Map:
    """Difference of depths in [0, 1], as a share of the teacher's depth plus `near`.

    The teacher is clamped, as it is in use. The student is not: beyond the range it still has a
    slope that leads back.
    """
    target = (teacher.float().mean(dim=1, keepdim=True).clamp(-1, 1) + 1) / 2
    depth = (student.float().mean(dim=1, keepdim=True) + 1) / 2
    return (depth - target) / (target + near)


def normals_difference(student: Map, teacher: Map) -> Map:
    """Difference of unit normals, by components."""
    return decode.normals(student) - decode.normals(teacher)


def slopes(difference: Map) -> PerImage:
    """Mean absolute step from each pixel to the next, rightwards plus downwards."""
    right = difference.diff(dim=3).abs().mean(dim=(1, 2, 3))
    down = difference.diff(dim=2).abs().mean(dim=(1, 2, 3))
    return right + down


class Lesson:
    """What both stages share: how far the student's map is from the teacher's."""

    metric = "distance_from_teacher"
    needs_truth = False

    def __init__(self, student: LatentDiffusion, teacher: Teacher, config: DistilConfig) -> None:
        self.model = student
        self.network = teacher.network
        self.is_depth = teacher.card.task == "depth"
        self.frame = teacher.card.frame or "opencv"
        self.config = config

    def score(self, samples: Samples) -> PerImage:
        """Mean absolute difference between the maps of the whole student and of the teacher."""
        image = samples.image * 2 - 1
        difference = self._difference(self.model(image), self.network(image))
        return difference.abs().mean(dim=(1, 2, 3))

    def predict(self, samples: Samples) -> Tensor:
        """The student's map."""
        decoded = self.model(samples.image * 2 - 1)
        if self.is_depth:
            return decode.depth(decoded)
        return frames.convert(decode.normals(decoded), source=self.frame, target="opencv")

    def _difference(self, student: Map, teacher: Map) -> Map:
        if self.is_depth:
            return depth_difference(student, teacher, near=self.config.near)
        return normals_difference(student, teacher)

    def _map_loss(self, student: Map, teacher: Map) -> PerImage:
        difference = self._difference(student, teacher)
        return difference.abs().mean(dim=(1, 2, 3)) + self.config.edge_weight * slopes(difference)


class CodecTask(Lesson):
    """Fits the encoder to the teacher's latents, and the decoder to what it makes of its own."""

    def __init__(self, student: LatentDiffusion, teacher: Teacher, config: CodecConfig) -> None:
        super().__init__(student, teacher, config)
        self.latent_weight = config.latent_weight

    @property
    def trained(self) -> nn.Module:
        """The part that learns."""
        return self.model.vae

    def loss(self, batch: Batch) -> PerImage:
        """Mean absolute error of the latents, plus the map's loss on the teacher's z_0."""
        image = batch.samples.image * 2 - 1
        with torch.no_grad():
            image_latent = self.network.encode(image)
            clean = clean_latent(self.network, image_latent)
            decoded = self.network.decode(clean)
        latent_error = (self.model.encode(image) - image_latent).float().abs().mean(dim=(1, 2, 3))
        map_loss = self._map_loss(self.model.decode(clean), decoded)
        return self.latent_weight * latent_error + map_loss


class StudentTask(Lesson):
    """Fits the whole student to the teacher's maps."""

    @property
    def trained(self) -> nn.Module:
        """The part that learns."""
        return self.model

    def loss(self, batch: Batch) -> PerImage:
        """The map's loss, through decoder, UNet and encoder."""
        image = batch.samples.image * 2 - 1
        with torch.no_grad():
            decoded = self.network(image)
        return self._map_loss(self.model(image), decoded)
