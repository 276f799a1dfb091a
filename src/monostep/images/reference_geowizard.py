"""The reference fit of GeoWizard, which resizes otherwise than Marigold's scripts do.

    8-bit image -> Pillow's bicubic to the resolution -> network, which drops what does not fill a
    latent pixel -> depth: Pillow's bicubic, normals: OpenCV's nearest pixel, to the input's grid

`monostep.images.reference` has the same four functions, and what they share. Source: GeoWizard's
pipeline, as E2E-FT keeps it.
"""

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from monostep.images import reference
from monostep.images.fit import Placement

place = reference.place
crop = reference.crop


def fit(
    image: Float[Tensor, "3 height width"], placement: Placement
) -> Float[Tensor, "3 new_height new_width"]:
    """The image, in [0, 1], as the network sees it, in [-1, 1]: 8 bits before and after the resize.

    Images of more bits are rounded. Half a level is rounded to the even one.
    """
    levels = (255 * image).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
    resized = torch.from_numpy(_bicubic(levels, placement.resized)).permute(2, 0, 1)
    return resized.to(image) / 255 * 2 - 1


def restore(
    output: Float[Tensor, "channel new_height new_width"], placement: Placement
) -> Float[Tensor, "channel height width"]:
    """The network's map on the input's grid: one channel overshoots a little, vectors are kept."""
    if len(output) == 1:
        values = _bicubic(output[0].float().cpu().numpy(), placement.original)
        return torch.from_numpy(values)[None].to(output)
    rows, columns = (
        _nearest(old, new, output.device)
        for old, new in zip(output.shape[1:], placement.original, strict=True)
    )
    return output[:, rows][:, :, columns]


def _bicubic(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels on a grid of another (height, width), antialiased."""
    resized = Image.fromarray(values).resize((size[1], size[0]), Image.Resampling.BICUBIC)
    return np.array(resized)


def _nearest(old: int, new: int, device: torch.device) -> Tensor:
    """Where each of `new` pixels is taken from among `old`, as OpenCV rounds."""
    scale = 1 / (new / old)
    places = (torch.arange(new, dtype=torch.float64) * scale).floor().long()
    return places.clamp(max=old - 1).to(device)
