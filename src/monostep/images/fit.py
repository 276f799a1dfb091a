"""An image brought to a size the network accepts, and its map brought back onto the input's grid.

    resize the long side to the resolution -> replicate-pad to the size multiple -> network
    -> crop -> resize to the input's exact height and width

Both resizes are in float, bilinear, antialiased, with pixel areas (not pixel centres) aligned, so
that nothing shifts by half a pixel.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where the image lies in what the network sees; sizes are (height, width) in pixels."""

    original: tuple[int, int]
    resized: tuple[int, int]
    padded: tuple[int, int]


def place(original: tuple[int, int], *, resolution: int, multiple: int) -> Placement:
    """The sizes for an image: long side `resolution` (0 keeps the size), sides padded up."""
    scale = resolution / max(original) if resolution > 0 else 1.0
    height, width = (max(1, round(side * scale)) for side in original)
    padded = (-(-height // multiple) * multiple, -(-width // multiple) * multiple)
    return Placement(original=original, resized=(height, width), padded=padded)


def fit(
    image: Float[Tensor, "channel height width"], placement: Placement
) -> Float[Tensor, "channel padded_height padded_width"]:
    """The image as the network sees it."""
    resized = _resize(image, placement.resized)
    below = placement.padded[0] - placement.resized[0]
    right = placement.padded[1] - placement.resized[1]
    return F.pad(resized[None], (0, right, 0, below), mode="replicate")[0]


def restore(
    output: Float[Tensor, "channel padded_height padded_width"], placement: Placement
) -> Float[Tensor, "channel height width"]:
    """The network's map on the input's own grid."""
    height, width = placement.resized
    return _resize(output[:, :height, :width], placement.original)


def _resize(
    values: Float[Tensor, "channel height width"], size: tuple[int, int]
) -> Float[Tensor, "channel new_height new_width"]:
    if tuple(values.shape[1:]) == size:
        return values
    return F.interpolate(
        values[None], size=size, mode="bilinear", antialias=True, align_corners=False
    )[0]
