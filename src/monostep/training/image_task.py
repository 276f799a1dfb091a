"""The base model's training: the network learns to denoise the latents of images, from any t.

    z_t = sqrt(abar_t) z_x + sqrt(1 - abar_t) noise,   t uniform in 0 ... T-1
    loss = |UNet(z_t, t) - target|^2

Source: Rombach et al., High-Resolution Image Synthesis with Latent Diffusion Models, eq. 2, with
Stable Diffusion 2's velocity as target.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from monostep.data.samples import Samples
from monostep.diffusion import forward
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Latent
from monostep.training.batch import Batch
from monostep.training.image_config import ImageConfig
from monostep.training.one_step import trained_part
from monostep.training.target_latent import encoded
from monostep.training.task import PerImage

SCORED = 8  # timesteps, evenly spread, that validation looks at for every image


class ImageTask:
    """Trains a UNet that sees the noisy latent of an image, and nothing beside it."""

    metric = "denoising_error"
    needs_truth = False

    def __init__(self, model: LatentDiffusion, config: ImageConfig) -> None:
        """Take the model; SettingError for images that are no whole number of latent cells."""
        config.check_sizes(model.multiple)
        self.model = model
        self.config = config
        self._trained = trained_part(model, decoder=False)

    @property
    def trained(self) -> nn.Module:
        """The part that learns."""
        return self._trained

    def loss(self, batch: Batch) -> PerImage:
        """Mean squared error of the UNet's output for each image at a random timestep."""
        total = len(self.model.schedule.alpha_bar)
        generators = [batch.generator(row) for row in range(len(batch.seeds))]
        clean = encoded(self.model, batch.samples.image * 2 - 1)
        times = [torch.randint(total, (), generator=own) for own in generators]
        noises = [torch.randn(clean.shape[1:], generator=own) for own in generators]
        return self._error(
            clean, torch.stack(noises).to(clean), torch.stack(times).to(clean.device)
        )

    def score(self, samples: Samples) -> PerImage:
        """Its mean over timesteps from first to last, with equal noise in each validation."""
        clean = encoded(self.model, samples.image * 2 - 1)
        total = len(self.model.schedule.alpha_bar)
        generator = torch.Generator().manual_seed(self.config.seed)
        errors = []
        for place in range(SCORED):
            noise = torch.randn(clean.shape[1:], generator=generator).expand(clean.shape)
            time = torch.full((len(clean),), (2 * place + 1) * total // (2 * SCORED))
            errors.append(self._error(clean, noise.to(clean), time.to(clean.device)))
        return torch.stack(errors).mean(dim=0)

    def predict(self, samples: Samples) -> Float[Tensor, "batch 3 height width"]:
        """The images as the autoencoder brings them back: all there is to see without a prompt."""
        return self.model.decode(self.model.encode(samples.image * 2 - 1))

    def _error(self, clean: Latent, noise: Latent, time: Int[Tensor, " batch"]) -> PerImage:
        schedule = self.model.schedule
        noisy = forward.noisy(schedule, clean, noise, time)
        context = self.model.prompt.to(noisy.dtype).expand(len(noisy), -1, -1)
        said = self.model.unet(noisy, time, context)
        target = forward.target(schedule, clean, noise, time)
        return (said - target).square().mean(dim=(1, 2, 3))
