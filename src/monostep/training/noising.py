"""The random numbers of diffusion training: timesteps and noise."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from monostep.diffusion import annealed, noise
from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Latent
from monostep.training.diffusion_config import DiffusionConfig

Generators = Sequence[torch.Generator]


class Noising:
    """Draws what a config wants, each image's from a generator of its own."""

    def __init__(self, config: DiffusionConfig, *, total: int) -> None:
        """`total` timesteps, T, of which each image gets one."""
        self.config = config
        self.total = total

    def times(self, generators: Generators) -> Int[Tensor, " batch"]:
        """The timestep of each image, from 0 to T-1."""
        return torch.stack([torch.randint(self.total, (), generator=own) for own in generators])

    def noise(self, like: Latent, time: Int[Tensor, " batch"], generators: Generators) -> Latent:
        """The noise of each image at its timestep."""
        size = (like.shape[1], like.shape[2], like.shape[3])
        pairs = zip((time / self.total).tolist(), generators, strict=True)
        return torch.stack([self._one(size, level, own) for level, own in pairs]).to(like)

    def _one(self, size: tuple[int, int, int], level: float, own: torch.Generator) -> Tensor:
        config = self.config
        if config.training_noise == "white":
            return torch.randn(size, generator=own)
        if config.training_noise == "pyramid-geowizard":
            kind = config.training_noise
            return noise.draw(kind, size=size, members=1, generator=own, level=level)[0]
        strength = config.noise_strength * (level if config.noise_annealed else 1)
        return annealed.draw(size, strength=strength, strategy=config.training_noise, generator=own)


def equal_draws(
    sampler: Sampler, like: Latent, *, kind: str, seed: int
) -> Float[Tensor, "draw batch channel height width"]:
    """The noise of a prediction that is scored: the same at every validation and for every image.

    First where it starts, of a kind of `noise.KINDS`, then what later steps draw.
    """
    size = (like.shape[1], like.shape[2], like.shape[3])
    generator = torch.Generator().manual_seed(seed)
    first = noise.draw(kind, size=size, members=1, generator=generator)
    fresh = noise.draw_each(sampler.draws - 1, size=size, members=1, generator=generator)
    return torch.cat([first[None], fresh]).to(like).expand(-1, len(like), -1, -1, -1)
