"""The colours that E2E-FT's evaluation of normals showed to its networks, by mistake.

Its loader, DSINE's, hands out images normalised by ImageNet's statistics. Instead of undoing that,
all three channels are stretched together to 0..255 and truncated to 8 bits, so that black becomes
(0, 4, 16) and white (234, 243, 255), and an image of less contrast gains some. The published
numbers were made with it.
"""

import torch
from jaxtyping import Float
from torch import Tensor

MEAN = (0.485, 0.456, 0.406)  # of ImageNet's red, green, blue
DEVIATION = (0.229, 0.224, 0.225)


def stretched(image: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 height width"]:
    """An image in [0, 1] with distorted colours, in [0, 1]; every value a multiple of 1/255.

    In float32 and in the reference's order of operations, since truncation makes a level of a
    rounding. Nothing is divided by 0: no 8-bit level of red is normalised to one of green.
    """
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    normalised = ((255 * image.float()).round() / 255 - mean) / deviation
    least, most = normalised.min().item(), normalised.max().item()
    return ((normalised - least) / (most - least) * 255).trunc() / 255
