"""Runs that make a base model, which the others start from: images out of noise, nothing else."""

from dataclasses import dataclass

from monostep.checkpoints import prompt
from monostep.network.sizes import Size
from monostep.training.config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class ImageConfig(TrainConfig):
    """Stable Diffusion's own training: a UNet of 4 channels denoises the latents of images.

    It reads the empty prompt and nothing else, and says the velocity v. Its result is a folder in
    Stable Diffusion's layout, from which other runs start.
    """

    size: Size = "nano"  # of the UNet, which begins with random weights
    autoencoder: str | None = None  # of this model; none: of nano-depth
    prompt_tokens: int = 2
    pictures: int = 0  # a base model makes no map of a validation image

    def __post_init__(self) -> None:
        """Refuse what cannot be run, or would be of no effect."""
        super().__post_init__()
        prompt.check_tokens(self.prompt_tokens)
        self.refuse("pictures", why="a base model makes no map of an image")
