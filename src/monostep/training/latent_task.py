"""One step with the loss on the latent: what the loss on the decoded map is compared with.

    z_0 = clean(z_T-1, UNet([z_x, z_T-1], T-1));   loss = |z_0 - encode(truth)|^2

Nothing is decoded, so a step needs neither the decoder's memory nor its time; E2E-FT's authors
hold that the loss on the decoded map is what makes the difference. Source of the loss: Lotus (He
et al., ICLR 2025).
"""

from abc import abstractmethod

import torch

from monostep.data.samples import Samples
from monostep.training.batch import Batch
from monostep.training.beginning import Beginning
from monostep.training.diffusion_config import LatentConfig
from monostep.training.one_step import OneStep, clean_latent, initial
from monostep.training.step import DepthTask, NormalsTask
from monostep.training.target_latent import (
    Cells,
    Latent,
    Picture,
    Weight,
    cells,
    depth_picture,
    encoded,
    mean_of_cells,
    normals_picture,
)
from monostep.training.task import PerImage, Task
from monostep.training.varying import varied


class LatentLoss(OneStep):
    """Fits the clean latent of the one step to the truth's."""

    config: LatentConfig

    @abstractmethod
    def picture(self, samples: Samples) -> tuple[Picture, Weight]:
        """The truth as the autoencoder sees it, and each pixel's weight."""

    def loss(self, batch: Batch) -> PerImage:
        """Mean squared error of the clean latent of each image."""
        batch = varied(batch, self.config)
        image_latent = self.encoded(batch.samples.image * 2 - 1)
        truth, weight = self.truth(batch.samples)
        generators = [batch.generator(row) for row in range(len(batch.seeds))]
        noisy = initial(self.config.noise, image_latent, generators)
        clean = clean_latent(self.model, image_latent, noisy)
        return mean_of_cells((clean - truth).square(), weight, pool=self.config.pool)

    def truth(self, samples: Samples) -> tuple[Latent, Cells]:
        """The truth's latent, and the weight of each of its cells."""
        painted, weight = self.picture(samples)
        latent = self.encoded(painted.to(samples.image.dtype))
        if not self.config.masked:
            return latent, torch.ones_like(latent[:, 0])
        return latent, cells(weight, latent)

    def encoded(self, picture: Picture) -> Latent:
        """The latent of the frozen encoder, in float32 at least whatever its products are in."""
        return encoded(self.model, picture)


class LatentDepthTask(LatentLoss, DepthTask):
    """Fine-tunes for depth by the latent loss."""

    def picture(self, samples: Samples) -> tuple[Picture, Weight]:
        """Normalised depth as three equal channels, and each pixel's weight."""
        return depth_picture(samples, self.config)


class LatentNormalsTask(LatentLoss, NormalsTask):
    """Fine-tunes for normals by the latent loss."""

    def picture(self, samples: Samples) -> tuple[Picture, Weight]:
        """Normals in the network's frame, and each pixel's weight."""
        return normals_picture(samples, self.frame)


def latent_task(beginning: Beginning, config: LatentConfig) -> Task:
    """The task of a config."""
    if config.task == "depth":
        return LatentDepthTask(beginning.model, config)
    return LatentNormalsTask(beginning.model, config, frame=beginning.card.frame)
