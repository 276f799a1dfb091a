"""The paper's step: one pass at t = T-1 from zero noise, loss on the decoded map.

Source: E2E-FT (Garcia et al., WACV 2025), section 4. The autoencoder is frozen, and gradients
flow through its decoder into the UNet.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.geometry import decode, frames
from monostep.losses.depth import affine_invariant_l1, normalised_l1
from monostep.losses.normals import angular
from monostep.metrics import depth as depth_metrics
from monostep.metrics.normals import mean_angle_deg
from monostep.training.truth_config import TruthConfig

PerImage = Float[Tensor, " batch"]
NORMALS_FRAME = "opengl"  # what Marigold's normals models speak


def freeze_all_but_unet(model: LatentDiffusion) -> None:
    """Leave only the UNet trainable."""
    model.requires_grad_(False)  # noqa: FBT003 - torch's own signature
    model.unet.requires_grad_(True)  # noqa: FBT003


def far_depth(
    samples: Samples, config: TruthConfig
) -> tuple[Float[Tensor, "batch height width"], Float[Tensor, "batch height width"]]:
    """Truth in metres with sky and all beyond `far_m` at `far_m`, and each pixel's weight."""
    far = samples.sky | (samples.valid & (samples.depth_m > config.far_m))
    depth_m = torch.where(far, torch.full_like(samples.depth_m, config.far_m), samples.depth_m)
    weight = torch.where(far, config.sky_weight, samples.valid.float())
    return depth_m, weight


class DepthTask:
    """Fine-tunes a UNet for affine-invariant depth."""

    metric = "abs_rel"

    def __init__(self, model: LatentDiffusion, config: TruthConfig) -> None:
        self.model = model
        self.config = config
        freeze_all_but_unet(model)

    @property
    def trained(self) -> nn.Module:
        """The part that learns."""
        return self.model.unet

    def loss(self, samples: Samples, *, step: int) -> PerImage:
        """Affine-invariant L1 of each image; before `align_from`, L1 from the normalised truth."""
        depth = decode.depth(self.model(samples.image * 2 - 1))
        truth_m, weight = far_depth(samples, self.config)
        if step < self.config.align_from * self.config.steps:
            return normalised_l1(depth, truth_m, weight)
        return affine_invariant_l1(depth, truth_m, weight, unit=self.config.depth_unit)

    def score(self, samples: Samples) -> PerImage:
        """AbsRel of each image on surfaces nearer than `far_m`."""
        depth = decode.depth(self.model(samples.image * 2 - 1))
        valid = samples.valid & (samples.depth_m <= self.config.far_m)
        metres = depth_metrics.aligned(depth, samples.depth_m, valid, least_m=1e-3)
        return depth_metrics.abs_rel(metres, samples.depth_m, valid)


class NormalsTask:
    """Fine-tunes a UNet for surface normals."""

    metric = "mean_angle_deg"

    def __init__(self, model: LatentDiffusion, config: TruthConfig) -> None:
        self.model = model
        self.config = config
        freeze_all_but_unet(model)

    @property
    def trained(self) -> nn.Module:
        """The part that learns."""
        return self.model.unet

    def loss(self, samples: Samples, *, step: int) -> PerImage:  # noqa: ARG002
        """Mean angle of each image in radians."""
        normals = decode.normals(self.model(samples.image * 2 - 1))
        truth = frames.convert(samples.normals, source="opencv", target=NORMALS_FRAME)
        return angular(normals, truth, samples.valid.float())

    def score(self, samples: Samples) -> PerImage:
        """Mean angle of each image in degrees."""
        normals = decode.normals(self.model(samples.image * 2 - 1))
        truth = frames.convert(samples.normals, source="opencv", target=NORMALS_FRAME)
        return mean_angle_deg(normals, truth, samples.valid)
