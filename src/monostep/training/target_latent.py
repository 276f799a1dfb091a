"""Truth as the autoencoder sees it, and which cells of its latent count.

Depth is normalised to [-1, 1] and painted as three equal channels, normals are painted as they
are in the network's frame. Source: Marigold, section 3.2.
"""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.errors import TrainingError
from monostep.geometry import frames, masked
from monostep.geometry.quantity import INVERSE
from monostep.losses.depth import normalised
from monostep.losses.pooled import shares
from monostep.training.depth_target import target
from monostep.training.diffusion_config import LatentConfig
from monostep.training.map_loss import known

Picture: TypeAlias = Float[Tensor, "batch 3 height width"]
Weight: TypeAlias = Float[Tensor, "batch height width"]
Latent: TypeAlias = Float[Tensor, "batch channel latent_height latent_width"]
Cells: TypeAlias = Float[Tensor, "batch latent_height latent_width"]
HOLES = {"near": -1.0, "middle": 0.0, "far": 1.0}
FACING = (0.0, 0.0, -1.0)  # towards the camera in the OpenCV frame


def depth_picture(samples: Samples, config: LatentConfig) -> tuple[Picture, Weight]:
    """Depth, or what the config makes of it, in [-1, 1], and each pixel's weight."""
    values, weight = target(samples, config)
    sign = -1 if config.quantity in INVERSE else 1
    # What is far is known to be far, whether or not it counts.
    far = samples.sky | (samples.valid & (samples.depth_m > config.far_m))
    unknown = torch.where(far, sign * HOLES["far"], sign * HOLES[config.holes])
    painted = torch.where(weight > 0, normalised(values, weight), unknown)
    return painted[:, None].expand(-1, 3, -1, -1), weight


def normals_picture(samples: Samples, frame: str) -> tuple[Picture, Weight]:
    """Normals in a frame, towards the camera where there are none, and each pixel's weight."""
    weight = known(samples)
    facing = samples.normals.new_tensor(FACING)[:, None, None]
    normals = torch.where(weight[:, None] > 0, samples.normals, facing)
    return frames.convert(normals, source="opencv", target=frame), weight * samples.trust()


def encoded(model: LatentDiffusion, picture: Picture) -> Latent:
    """The latent of the frozen encoder, in float32 at least whatever its products are in."""
    latent = model.encode(picture)
    return latent.to(torch.promote_types(latent.dtype, torch.float32))


def cells(weight: Weight, latent: Latent) -> Cells:
    """Weight of each latent cell: that of the least of the pixels in its block.

    TrainingError where the picture is no whole number of blocks.
    """
    (height, width), size = weight.shape[1:], latent.shape[2:]
    if height % size[0] or width % size[1]:
        raise TrainingError(
            f"images of {height}x{width} pixels, latents of {size[0]}x{size[1]} cells: a mask "
            "needs whole blocks of pixels; choose multiples of the autoencoder's factor"
        )
    block = (height // size[0], width // size[1])
    return -F.max_pool2d(-weight[:, None], block)[:, 0]


def mean_of_cells(error: Latent, weight: Cells, *, pool: str) -> Float[Tensor, " batch"]:
    """Mean of each image over the channels of the cells that count; 0 where none does.

    With pool "batch" each image's share of the mean over all cells of the batch.
    """
    means = masked.mean(error.mean(dim=1), weight)
    return shares(means, weight) if pool == "batch" else means
