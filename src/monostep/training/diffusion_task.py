"""Stage 1: the network learns to denoise the truth's latent beside the image's, at any timestep.

    z_t = sqrt(abar_t) z_0 + sqrt(1 - abar_t) noise,   t uniform in 0 ... T-1
    loss = |UNet([z_x, z_t], t) - target|^2

Source: Marigold (Ke et al., CVPR 2024), section 3.2 and its training code.
"""

import dataclasses
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from monostep.data.samples import Samples
from monostep.diffusion import forward
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Latent, Schedule, zero_terminal_snr
from monostep.diffusion.timesteps import timesteps
from monostep.errors import SettingError
from monostep.geometry import decode
from monostep.training.batch import Batch
from monostep.training.beginning import Beginning
from monostep.training.diffusion_config import DiffusionConfig, LatentConfig
from monostep.training.latent_task import LatentDepthTask, LatentLoss, LatentNormalsTask
from monostep.training.noising import Noising, equal_draws
from monostep.training.target_latent import mean_of_cells
from monostep.training.task import PerImage, Task
from monostep.training.varying import varied


def said(
    unet: nn.Module,
    prompt: Float[Tensor, "token width"],
    image_latent: Latent,
    noisy: Latent,
    time: Int[Tensor, " batch"],
) -> Latent:
    """What a UNet says about z_t beside z_x, each image at a timestep of its own."""
    context = prompt.to(noisy.dtype).expand(len(noisy), -1, -1)
    return unet(torch.cat([image_latent, noisy], dim=1), time, context)


class Sampled(LatentLoss):
    """A task whose prediction takes the steps that the result's card will ask for."""

    def __init__(self, model: LatentDiffusion, config: LatentConfig, **others: str | None) -> None:
        """Find the timesteps; SettingError if the schedule has not as many."""
        super().__init__(model, config, **others)
        how = config.how
        self.visited = timesteps(model.schedule, spacing=how["spacing"], steps=how["steps"])

    def decoded_to_score(self, samples: Samples) -> decode.Decoded:
        """The map of each image, all from the same noise in every validation."""
        how, schedule = self.config.how, self.model.schedule
        image_latent = self.encoded(samples.image * 2 - 1)
        sampler = Sampler(schedule=schedule, times=self.visited, last=how["last"])
        draws = equal_draws(sampler, image_latent, kind=how["noise"], seed=self.config.seed)
        return self.model.decode(sampler.end(partial(self.model.output, image_latent), draws))


class DiffusionLoss(Sampled):
    """Fits what the UNet says about a noisy latent to what it should say."""

    def __init__(
        self, model: LatentDiffusion, config: DiffusionConfig, **others: str | None
    ) -> None:
        """Give the model its noise schedule, where the config has one of its own."""
        super().__init__(model, config, **others)
        if config.zero_snr:
            model.schedule = without_signal(model.schedule)
        self.noising = Noising(config, total=len(model.schedule.alpha_bar))

    def loss(self, batch: Batch) -> PerImage:
        """Mean squared error of the UNet's output for each image at a random timestep."""
        schedule, noising = self.model.schedule, self.noising
        batch = varied(batch, self.config)
        generators = [batch.generator(row) for row in range(len(batch.seeds))]
        image_latent = self.encoded(batch.samples.image * 2 - 1)
        clean, weight = self.truth(batch.samples)
        time = noising.times(generators).to(clean.device)
        noise = noising.noise(clean, time, generators)
        noisy = forward.noisy(schedule, clean, noise, time)
        output = said(self.model.unet, self.model.prompt, image_latent, noisy, time)
        error = (output - forward.target(schedule, clean, noise, time)).square()
        return mean_of_cells(error, weight, pool=self.config.pool)


class DiffusionDepthTask(DiffusionLoss, LatentDepthTask):
    """Stage 1 for depth."""


class DiffusionNormalsTask(DiffusionLoss, LatentNormalsTask):
    """Stage 1 for normals."""


def diffusion_task(beginning: Beginning, config: DiffusionConfig) -> Task:
    """The task of a config."""
    if config.task == "depth":
        return DiffusionDepthTask(beginning.model, config)
    return DiffusionNormalsTask(beginning.model, config, frame=beginning.card.frame)


def without_signal(schedule: Schedule) -> Schedule:
    """The schedule with no signal left at t = T-1; SettingError where that cannot be learned."""
    if schedule.alpha_bar[-1] == 0:
        return schedule
    if schedule.target == "epsilon":
        raise SettingError(
            "zero_snr with a start that predicts epsilon: noise says nothing of a latent that is "
            "all noise; leave zero_snr out, or choose a start that predicts the velocity"
        )
    return dataclasses.replace(schedule, alpha_bar=zero_terminal_snr(schedule.alpha_bar))
