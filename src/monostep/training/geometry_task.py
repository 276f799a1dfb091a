"""One network learns depth and normals from the losses on both decoded maps of one step.

    loss of an image = depth_weight * depth loss + normals_weight * mean angle in radians

Source: E2E-FT's GeoWizard (Garcia et al., WACV 2025), which weighs them 0.5 and 1.
"""

import torch

from monostep.data.samples import Samples
from monostep.diffusion.joint_diffusion import Halves
from monostep.diffusion.schedule import Latent
from monostep.training.batch import Batch
from monostep.training.joint_task import JointTask, Maps, split
from monostep.training.map_loss import depth_loss, normals_loss
from monostep.training.one_step import initial
from monostep.training.task import PerImage
from monostep.training.varying import varied


class GeometryTask(JointTask):
    """Fine-tunes for depth and normals end to end."""

    def loss(self, batch: Batch) -> PerImage:
        """Weighted sum of the depth loss and the angle of each image."""
        config = self.config
        batch = varied(batch, config)
        depth, normals = self.maps(batch)
        depth_part = depth_loss(depth, batch, config)
        angle = normals_loss(normals, batch.samples, config, frame=self.frame)
        return config.depth_weight * depth_part + config.normals_weight * angle

    def maps(self, batch: Batch) -> Maps:
        """Both maps of each image, either from noise of its own."""
        image_latent = self.model.encode(batch.samples.image * 2 - 1)
        own = [batch.generator(row) for row in range(len(batch.seeds))]
        halves = [initial(self.config.noise, image_latent, own) for _ in range(2)]
        clean = self._clean(batch.samples, image_latent, torch.cat(halves))
        return split(self.model.decode(clean))

    def maps_to_score(self, samples: Samples) -> Maps:
        """Both maps of each image, from the same noise in every validation, image and half."""
        image_latent = self.model.encode(samples.image * 2 - 1)
        own = [torch.Generator().manual_seed(self.config.seed) for _ in samples.kind]
        noisy = initial(self.config.noise, image_latent, own)
        clean = self._clean(samples, image_latent, noisy.repeat(2, 1, 1, 1))
        return split(self.model.decode(clean))

    def _clean(self, samples: Samples, image_latent: Latent, noisy: Halves) -> Halves:
        model, last = self.model, self.model.schedule.last
        context = self.context(samples)
        output = model.output(image_latent, noisy, last, context=context, domain=samples.kind)
        time = torch.full((len(noisy),), last, device=noisy.device)
        return model.schedule.clean(noisy, output, time)
