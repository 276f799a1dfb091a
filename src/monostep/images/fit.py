"""An image brought to a size the network accepts, and its map brought back onto the input's grid.

    resize the long side to the resolution -> replicate-pad to the size multiple -> network
    -> crop -> resize to the input's exact height and width

Both resizes are in float, bilinear, antialiased, with pixel areas (not pixel centres) aligned, so
that nothing shifts by half a pixel. Sizes, padding and the way in are diffusers'; its way back is
not antialiased, which differs where the map becomes smaller, and only there.

`monostep.images.reference` has the same four functions for the published scripts' way.
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
    """The sizes for an image: long side `resolution` (0 keeps the size), sides padded up.

    The short side is rounded down, but never below 1: 4000 x 30 at 768 becomes 768 x 5.
    """
    longest = max(original)
    target = resolution if resolution > 0 else longest
    height, width = (max(1, side * target // longest) for side in original)
    padded = (-(-height // multiple) * multiple, -(-width // multiple) * multiple)
    return Placement(original=original, resized=(height, width), padded=padded)


def fit(
    image: Float[Tensor, "channel height width"], placement: Placement
) -> Float[Tensor, "channel padded_height padded_width"]:
    """The image, in [0, 1], as the network sees it, in [-1, 1]."""
    resized = resize(2 * image - 1, placement.resized)
    below = placement.padded[0] - placement.resized[0]
    right = placement.padded[1] - placement.resized[1]
    return F.pad(resized[None], (0, right, 0, below), mode="replicate")[0]


def crop(
    output: Float[Tensor, "*any padded_height padded_width"], placement: Placement
) -> Float[Tensor, "*any new_height new_width"]:
    """The network's map without the padding; twice is once."""
    height, width = placement.resized
    return output[..., :height, :width]


def restore(
    output: Float[Tensor, "channel padded_height padded_width"], placement: Placement
) -> Float[Tensor, "channel height width"]:
    """The network's map on the input's own grid."""
    return resize(crop(output, placement), placement.original)


def resize(
    values: Float[Tensor, "channel height width"], size: tuple[int, int]
) -> Float[Tensor, "channel new_height new_width"]:
    """Values on a grid of another size: bilinear, antialiased, pixel areas aligned."""
    if tuple(values.shape[1:]) == size:
        return values
    if size[1] == 1 and size[0] > 1:  # wrong in torch 2.13 with antialias; the other way it is not
        return resize(values.mT, (1, size[0])).mT
    return F.interpolate(
        values[None], size=size, mode="bilinear", antialias=True, align_corners=False
    )[0]
