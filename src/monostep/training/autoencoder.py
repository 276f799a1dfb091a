"""An autoencoder that serves images, depth and normals alike."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import Autoencoder
from monostep.geometry import decode, frames
from monostep.losses.depth import normalised
from monostep.training.batch import Batch
from monostep.training.depth_target import far_depth
from monostep.training.step import NORMALS_FRAME
from monostep.training.task import PerImage
from monostep.training.truth_config import TruthConfig

Images = Float[Tensor, "images 3 height width"]


def pictures(samples: Samples, config: TruthConfig) -> tuple[Images, Images, Images]:
    """RGB, depth as three equal channels, and normals of a batch, all in [-1, 1]."""
    depth = normalised(*far_depth(samples, config))
    normals = frames.convert(samples.normals, source="opencv", target=NORMALS_FRAME)
    return samples.image * 2 - 1, depth[:, None].expand(-1, 3, -1, -1), normals


class AutoencoderTask:
    """Trains an autoencoder to reproduce images, depth and normals."""

    metric = "mean_absolute_error"

    def __init__(self, model: Autoencoder, config: TruthConfig) -> None:
        config.check_sizes(model.config.factor)
        self.model: nn.Module = model
        self.autoencoder = model
        self.config = config

    @property
    def trained(self) -> nn.Module:
        """The part that learns."""
        return self.model

    def loss(self, batch: Batch) -> PerImage:
        """Mean absolute error of the round trip, plus a pull of the latents towards unit size."""
        original = torch.cat(pictures(batch.samples, self.config))
        latent = self.autoencoder.encode(original)
        error = (self.autoencoder.decode(latent).float() - original).abs().mean(dim=(1, 2, 3))
        excess = torch.relu(latent.float().square() - 1).mean(dim=(1, 2, 3))
        return (error + self.config.latent_weight * excess).unflatten(0, (3, -1)).mean(dim=0)

    def predict(self, samples: Samples) -> Float[Tensor, "batch height width"]:
        """Depth as it comes back."""
        _, depth, _ = pictures(samples, self.config)
        return decode.depth(self.autoencoder.decode(self.autoencoder.encode(depth)))

    def score(self, samples: Samples) -> PerImage:
        """Mean absolute error of the round trip of each scene's three pictures."""
        original = torch.cat(pictures(samples, self.config))
        decoded = self.autoencoder.decode(self.autoencoder.encode(original)).float()
        return (decoded - original).abs().mean(dim=(1, 2, 3)).unflatten(0, (3, -1)).mean(dim=0)
