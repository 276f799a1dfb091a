"""Another camera in another light: shading, white balance, exposure, noise and tone at random.

    light   = (sRGB ** 2.2) * shade(x, y) * white balance * exposure
    sensor  = light + sqrt(shot * light + read^2) * N(0, 1)
    picture = sensor ** (tone / 2.2)

Rendered scenes have one camera and a few kinds of lamps; photographs do not. All changes leave the
geometry as it is. Shot and read noise: Foi et al., "Practical Poissonian-Gaussian noise modeling
and fitting for single-image raw-data" (TIP 2008).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Image = Float[Tensor, "3 height width"]
GAMMA = 2.2
GRID = (3, 4)  # points between which the shade is interpolated


@dataclass(frozen=True, kw_only=True)
class Camera:
    """How far each change goes; factors are drawn from exp(-x) to exp(x)."""

    shade: float = 0.5  # of the light at each point of the grid
    white_balance: float = 0.25  # of each channel
    exposure: float = 0.7
    tone: float = 0.35  # of the exponent
    shot: float = 0.005  # largest variance of the noise where the light is 1
    read: float = 0.01  # largest deviation of the noise in the dark


def taken(image: Image, camera: Camera, generator: torch.Generator) -> Image:
    """The image in [0, 1] as another camera takes it.

    Args:
        image: sRGB in [0, 1], on any device.
        camera: how far the changes go.
        generator: on the CPU; draws everything that is random.
    """
    shade = _factor(camera.shade, (1, 1, *GRID), generator)
    gain = _factor(camera.white_balance, (3, 1, 1), generator)
    exposure = _factor(camera.exposure, (1, 1, 1), generator)
    tone = _factor(camera.tone, (1, 1, 1), generator).item()
    shot, read = torch.rand(2, generator=generator).tolist()
    normal = torch.randn(image.shape, generator=generator).to(image)
    height, width = image.shape[-2:]
    field = F.interpolate(shade, (height, width), mode="bicubic", align_corners=True)[0]
    light = image.clamp(0, 1) ** GAMMA * (field * gain * exposure).to(image)
    deviation = (camera.shot * shot * light.clamp_min(0) + (camera.read * read) ** 2).sqrt()
    return (light + deviation * normal).clamp(0, 1) ** (tone / GAMMA)


def _factor(reach: float, size: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return (reach * (2 * torch.rand(size, generator=generator) - 1)).exp()
