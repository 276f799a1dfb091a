"""The resize of `monostep.images.fit` as two matrix products, so that every runtime does the same.

Runtimes disagree about antialiased resizing; about products they do not. A new pixel i of n' sees
an old pixel j of n with the weight of a triangle around its centre, which is as wide as the larger
of the two pixels:

    w_ij = max(0, 1 - |(2j + 1) n' - (2i + 1) n| / (2 max(n, n'))),   rows scaled to sum 1

The fraction is of whole numbers, so positions are exact at any size.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def weights(old: int, new: int) -> Float[Tensor, "new old"]:
    """What each of `new` pixels takes of each of `old` ones; the identity if they are as many."""
    ours = (2 * torch.arange(new) + 1)[:, None] * old
    theirs = (2 * torch.arange(old) + 1) * new
    distance = (theirs - ours).abs().float() / (2 * torch.sym_max(old, new))
    triangle = torch.relu(1 - distance)
    return triangle / triangle.sum(dim=1, keepdim=True)


def resize(
    values: Float[Tensor, "batch channel height width"], size: tuple[int, int]
) -> Float[Tensor, "batch channel new_height new_width"]:
    """Values on a grid of another size: bilinear, antialiased, pixel areas aligned."""
    height, width = values.shape[2:]
    return weights(height, size[0]) @ values @ weights(width, size[1]).T
