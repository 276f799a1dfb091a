"""The fit of the published scripts (Marigold, E2E-FT), for those who need their numbers.

    8-bit image -> resize the long side to the resolution, rounding to 8 bits again -> network,
    which drops what does not fill a latent pixel -> stretch to the input's height and width

Nothing is padded, so up to 7 rows and columns are lost and the rest is stretched over their place;
`monostep.images.fit` has the same four functions without that flaw.
"""

from jaxtyping import Float
from torch import Tensor

from monostep.images.fit import Placement, resize


def place(original: tuple[int, int], *, resolution: int, multiple: int) -> Placement:
    """The sizes for an image: long side `resolution` (0 keeps the size), the other cut to integer.

    A side below `multiple`, of which the network would leave nothing, becomes `multiple`; the
    published scripts fail there.
    """
    height, width = original
    factor = min(resolution / width, resolution / height) if resolution > 0 else 1.0
    resized = (max(multiple, int(height * factor)), max(multiple, int(width * factor)))
    return Placement(original=original, resized=resized, padded=resized)


def fit(
    image: Float[Tensor, "channel height width"], placement: Placement
) -> Float[Tensor, "channel new_height new_width"]:
    """The image, in [0, 1], as the network sees it, in [-1, 1]: 8 bits before and after the resize.

    Images of more bits are rounded. Half a level is rounded to the even one.
    """
    levels = (255 * image).round().clamp(0, 255)
    return resize(levels, placement.resized).round().clamp(0, 255) / 255 * 2 - 1


def crop(
    output: Float[Tensor, "*any new_height new_width"],
    placement: Placement,  # noqa: ARG001 - the same as for the other fit
) -> Float[Tensor, "*any new_height new_width"]:
    """The network's map as it is: nothing was padded."""
    return output


def restore(
    output: Float[Tensor, "channel new_height new_width"], placement: Placement
) -> Float[Tensor, "channel height width"]:
    """The network's map, of whatever size it came back, stretched to the input's grid.

    Normals come out shorter than 1 where they vary, here as there; `monostep.results` mends that.
    """
    return resize(output, placement.original)
