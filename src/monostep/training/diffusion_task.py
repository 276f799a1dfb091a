"""Stage 1: the network learns to denoise the truth's latent beside the image's, at any timestep.

    z_t = sqrt(abar_t) z_0 + sqrt(1 - abar_t) noise,   t uniform in 0 ... T-1
    loss = |UNet([z_x, z_t], t) - target|^2

Source: Marigold (Ke et al., CVPR 2024), section 3.2 and its training code.
"""

import dataclasses
from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from monostep.data.augment import Augmentation
from monostep.data.samples import Samples
from monostep.diffusion import annealed, forward, noise
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
from monostep.training.target_latent import Picture, mean_of_cells
from monostep.training.task import PerImage, Task

Generators = Sequence[torch.Generator]


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
        size = (image_latent.shape[1], image_latent.shape[2], image_latent.shape[3])
        generator = torch.Generator().manual_seed(self.config.seed)
        first = noise.draw(how["noise"], size=size, members=1, generator=generator)
        fresh = noise.draw_each(sampler.draws - 1, size=size, members=1, generator=generator)
        draws = torch.cat([first[None], fresh]).to(image_latent)
        draws = draws.expand(-1, len(image_latent), -1, -1, -1)
        return self.model.decode(sampler.end(partial(self.model.output, image_latent), draws))


class DiffusionLoss(Sampled):
    """Fits what the UNet says about a noisy latent to what it should say."""

    def __init__(
        self, model: LatentDiffusion, config: DiffusionConfig, **others: str | None
    ) -> None:
        """Give the model its noise schedule, where the config has one of its own."""
        super().__init__(model, config, **others)
        self.settings = config
        if config.zero_snr:
            model.schedule = without_signal(model.schedule)
        self.augmentation = Augmentation(
            jitter=config.jitter, blur=config.blur, motion_blur=config.motion_blur
        )

    def loss(self, batch: Batch) -> PerImage:
        """Mean squared error of the UNet's output for each image at a random timestep."""
        schedule = self.model.schedule
        generators = [batch.generator(row) for row in range(len(batch.seeds))]
        image_latent = self.encoded(self.seen(batch.samples, generators))
        clean, weight = self.truth(batch.samples)
        time = self.times(generators).to(clean.device)
        noise = self.noise(clean, time, generators)
        noisy = forward.noisy(schedule, clean, noise, time)
        output = said(self.model.unet, self.model.prompt, image_latent, noisy, time)
        error = (output - forward.target(schedule, clean, noise, time)).square()
        return mean_of_cells(error, weight, pool=self.config.pool)

    def seen(self, samples: Samples, generators: Generators) -> Picture:
        """The images as the network sees them, augmented, in [-1, 1]."""
        pairs = zip(samples.image, generators, strict=True)
        return torch.stack([self.augmentation.apply(image, own) for image, own in pairs]) * 2 - 1

    def times(self, generators: Generators) -> Int[Tensor, " batch"]:
        """The timestep of each image, from 0 to T-1."""
        total = len(self.model.schedule.alpha_bar)
        return torch.stack([torch.randint(total, (), generator=own) for own in generators])

    def noise(self, like: Latent, time: Int[Tensor, " batch"], generators: Generators) -> Latent:
        """The noise of each image at its timestep."""
        levels = (time / len(self.model.schedule.alpha_bar)).tolist()
        size = (like.shape[1], like.shape[2], like.shape[3])
        each = [self._noise(size, *pair) for pair in zip(levels, generators, strict=True)]
        return torch.stack(each).to(like)

    def _noise(self, size: tuple[int, int, int], level: float, own: torch.Generator) -> Tensor:
        if self.settings.training_noise == "white":
            return torch.randn(size, generator=own)
        strength = self.settings.noise_strength * (level if self.settings.noise_annealed else 1)
        strategy = self.settings.training_noise
        return annealed.draw(size, strength=strength, strategy=strategy, generator=own)


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
