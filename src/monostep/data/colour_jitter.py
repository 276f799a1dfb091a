"""Other light and another camera: brightness, contrast, saturation and hue at random.

The four changes and their order are drawn as in the ColorJitter of the field, so that settings
carry over; hue is turned in the hexagonal model (HSV) that it uses.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Image = Float[Tensor, "3 height width"]
LUMA = (0.299, 0.587, 0.114)  # of grey, Rec. 601


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """How far each change goes: factors from 1 - x to 1 + x, hue from -x to x of a full turn."""

    brightness: float = 0.5
    contrast: float = 0.5
    saturation: float = 0.5
    hue: float = 0.2


def jittered(image: Image, jitter: Jitter, generator: torch.Generator) -> Image:
    """The image in [0, 1] with the four changes in a random order, clamped after each."""
    order = torch.randperm(4, generator=generator).tolist()
    by = (2 * torch.rand(4, generator=generator, dtype=torch.float64) - 1).tolist()
    changes = (
        lambda x: blend(x, torch.zeros_like(x), 1 + jitter.brightness * by[0]),
        lambda x: blend(x, grey(x).mean().expand_as(x), 1 + jitter.contrast * by[1]),
        lambda x: blend(x, grey(x).expand_as(x), 1 + jitter.saturation * by[2]),
        lambda x: turned(x, jitter.hue * by[3]),
    )
    for which in order:
        image = changes[which](image)
    return image


def grey(image: Image) -> Float[Tensor, "1 height width"]:
    """Luma of an image."""
    weights = image.new_tensor(LUMA)[:, None, None]
    return (image * weights).sum(dim=0, keepdim=True)


def blend(image: Image, other: Image, share: float) -> Image:
    """Share of the image plus the rest of the other, clamped to [0, 1]; a share above 1 leads away.

    Source: P. Haeberli, Image Processing by Interpolation and Extrapolation.
    """
    return (share * image + (1 - share) * other).clamp(0, 1)


def turned(image: Image, turn: float) -> Image:
    """The image with every hue moved on by a share of the full turn, red to green to blue."""
    largest, smallest = image.amax(dim=0), image.amin(dim=0)
    chroma = largest - smallest
    hue = (_sextant(image, largest, chroma) + 6 * turn) % 6
    # Each channel falls from its own hue outwards: k = 5, 3, 1 for red, green, blue.
    k = (image.new_tensor([5, 3, 1])[:, None, None] + hue) % 6
    return largest - chroma * torch.minimum(k, 4 - k).clamp(0, 1)


def _sextant(
    image: Image,
    largest: Float[Tensor, "height width"],
    chroma: Float[Tensor, "height width"],
) -> Float[Tensor, "height width"]:
    """The hue in sixths of a turn, 0 for red; 0 for grey."""
    red, green, blue = image
    safe = torch.where(chroma > 0, chroma, torch.ones_like(chroma))
    hue = torch.where(largest == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    hue = torch.where(largest == red, (green - blue) / safe, hue)
    return torch.where(chroma > 0, hue, torch.zeros_like(hue))
