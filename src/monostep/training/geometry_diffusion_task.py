"""One network learns to denoise the latents of depth and normals beside the image's.

    t uniform, one of each image; z_t of either half from noise of its own
    loss of an image = depth_weight * error of its depth half + normals_weight * of its normals half

Source: GeoWizard (Fu et al., ECCV 2024) and its training code, which takes the mean of both.
"""

from functools import partial

import torch

from monostep.data.samples import Samples
from monostep.diffusion import forward
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.sampler import Sampler
from monostep.diffusion.timesteps import timesteps
from monostep.training.batch import Batch
from monostep.training.diffusion_task import without_signal
from monostep.training.geometry_config import GeometryDiffusionConfig
from monostep.training.joint_task import JointTask, Maps, split
from monostep.training.noising import Noising, equal_draws
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
from monostep.training.task import PerImage
from monostep.training.varying import varied

Truth = tuple[Latent, Cells]


class GeometryDiffusionTask(JointTask):
    """Trains for depth and normals by diffusion; its prediction takes the steps of the card."""

    def __init__(
        self, model: JointDiffusion, config: GeometryDiffusionConfig, *, frame: str
    ) -> None:
        """Find the timesteps of predictions; SettingError if the schedule has not as many."""
        super().__init__(model, config, frame=frame)
        self.settings = config
        if config.zero_snr:
            model.schedule = without_signal(model.schedule)
        self.how = config.how
        self.visited = timesteps(
            model.schedule, spacing=self.how["spacing"], steps=self.how["steps"]
        )
        self.noising = Noising(config, total=len(model.schedule.alpha_bar))

    def loss(self, batch: Batch) -> PerImage:
        """Weighted sum of the mean squared errors of both halves, at one timestep of each image."""
        model, noising, config = self.model, self.noising, self.config
        batch = varied(batch, config)
        schedule, domain = model.schedule, batch.samples.kind
        generators = [batch.generator(row) for row in range(len(batch.seeds))]
        image_latent = encoded(model, batch.samples.image * 2 - 1)
        truths = self.truths(batch.samples)
        clean = torch.cat([latent for latent, _ in truths])
        one = noising.times(generators).to(clean.device)
        time = one.repeat(2)
        noise = torch.cat([noising.noise(latent, one, generators) for latent, _ in truths])
        noisy = forward.noisy(schedule, clean, noise, time)
        context = self.context(batch.samples)
        output = model.said(image_latent, noisy, time, context=context, domain=domain)
        error = (output - forward.target(schedule, clean, noise, time)).square()
        depth, normals = (
            mean_of_cells(half, weight, pool=config.pool)
            for half, (_, weight) in zip(error.chunk(2), truths, strict=True)
        )
        return config.depth_weight * depth + config.normals_weight * normals

    def truths(self, samples: Samples) -> tuple[Truth, Truth]:
        """Latents of depth and of normals, and the weights of their cells.

        Without a mask every cell counts, unless nothing of this map is known of the whole image.
        """
        dtype = samples.image.dtype
        return (
            self._truth(*depth_picture(samples, self.settings), dtype),
            self._truth(*normals_picture(samples, self.frame), dtype),
        )

    def maps_to_score(self, samples: Samples) -> Maps:
        """Both maps of each image, from the same noise in every validation, image and half."""
        how, model = self.how, self.model
        image_latent = encoded(model, samples.image * 2 - 1)
        sampler = Sampler(schedule=model.schedule, times=self.visited, last=how["last"])
        context = self.context(samples)
        output = partial(model.output, image_latent, context=context, domain=samples.kind)
        both = image_latent.repeat(2, 1, 1, 1)
        draws = equal_draws(sampler, both, kind=how["noise"], seed=self.config.seed)
        return split(model.decode(sampler.end(output, draws)))

    def _truth(self, picture: Picture, weight: Weight, dtype: torch.dtype) -> Truth:
        latent = encoded(self.model, picture.to(dtype))
        if self.settings.masked:
            return latent, cells(weight, latent)
        known = (weight > 0).flatten(1).any(dim=1)  # what nobody knows at all is not learned
        return latent, torch.ones_like(latent[:, 0]) * known[:, None, None]
