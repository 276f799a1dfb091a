"""Pictures as an image encoder wants them: a square, whatever the aspect ratio was.

Source: GeoWizard's pipeline: torchvision's resize of a tensor, bicubic and antialiased, to the
feature extractor's size; no crop, and what overshoots is not clamped.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def squash(
    pictures: Float[Tensor, "batch 3 height width"], side: int
) -> Float[Tensor, "batch 3 side side"]:
    """The pictures, in any range of values, as squares of `side` pixels; of 0, nothing is left."""
    if side == 0:
        return pictures[:, :, :0, :0]
    wide = pictures.float() if pictures.dtype.itemsize < 4 else pictures  # the CPU has no other
    squares = F.interpolate(
        wide, size=(side, side), mode="bicubic", antialias=True, align_corners=False
    )
    return squares.to(pictures.dtype)
