"""A closer look: a random part of each image, enlarged to the size of the whole.

That is the picture of a camera with a longer lens, off its axis: depth and normals stay what they
were at each point, the intrinsics follow the crop, and no scene has to be rendered again.
"""

import dataclasses
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from monostep.data.samples import Samples

GEOMETRY = ("depth_m", "normals", "valid", "sky", "confidence")
# Of each image: magnification, and the left and upper end of what is seen, in pixels.
Windows = Float[Tensor, "batch 3"]
Places = Float[Tensor, "batch height width 2"]


def zoomed(samples: Samples, most: float, generators: Sequence[torch.Generator]) -> Samples:
    """Each image seen at a magnification of its own, from 1 to `most`, uniform in its logarithm.

    Colours are interpolated; geometry is that of the nearest pixel, because a mean of depths would
    be a surface that is not there.

    Args:
        samples: a batch on any device.
        most: largest magnification, at least 1; 1 changes nothing.
        generators: of each image, on the CPU; each draws three numbers.
    """
    height, width = samples.image.shape[-2:]
    drawn = torch.stack([torch.rand(3, generator=own) for own in generators])
    if most == 1:
        return samples
    scale = most ** drawn[:, 0]
    room = (1 - 1 / scale)[:, None] * torch.tensor([width, height])
    return cropped(samples, torch.cat([scale[:, None], room * drawn[:, 1:]], dim=1))


def cropped(samples: Samples, windows: Windows) -> Samples:
    """Each image's window, at the size of the image."""
    windows = windows.to(samples.image)
    places = _places(windows, samples.image.shape[-2], samples.image.shape[-1])
    geometry = {
        name: _nearest(old, places)
        for name in GEOMETRY
        if (old := getattr(samples, name)) is not None
    }
    image = F.grid_sample(samples.image, places, padding_mode="border", align_corners=False)
    intrinsics = samples.intrinsics.clone()
    intrinsics[:, :2, 2] -= windows[:, 1:]
    intrinsics[:, :2] *= windows[:, :1, None]
    return dataclasses.replace(samples, image=image, intrinsics=intrinsics, **geometry)


def _places(windows: Windows, height: int, width: int) -> Places:
    """Where each pixel's centre lies in its image, from -1 to 1 between the image's ends."""
    scale, left, up = windows.T
    across = torch.arange(width).to(windows) + 0.5
    down = torch.arange(height).to(windows) + 0.5
    x = (left[:, None] + across / scale[:, None]) * (2 / width) - 1
    y = (up[:, None] + down / scale[:, None]) * (2 / height) - 1
    size = (len(windows), height, width)
    return torch.stack([x[:, None, :].expand(size), y[:, :, None].expand(size)], dim=-1)


def _nearest(values: Tensor, places: Places) -> Tensor:
    """Values [batch, height, width] or [batch, channel, height, width] of the nearest pixels."""
    planes = values[:, None] if values.ndim == 3 else values
    seen = F.grid_sample(
        planes.to(places), places, mode="nearest", padding_mode="border", align_corners=False
    )
    return seen.reshape(values.shape).to(values.dtype)
