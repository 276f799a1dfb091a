"""The resize of `monostep.images.fit` as two matrix products, so that every runtime does the same.

Runtimes disagree about antialiased resizing; about products they do not. A new pixel i of n' sees
an old pixel j of n with the weight of a triangle around its centre, which is as wide as the larger
of the two pixels:

    w_ij = max(0, 1 - |(2j + 1) n' - (2i + 1) n| / (2 max(n, n'))),   rows scaled to sum 1

The fraction is of whole numbers, so positions are exact at any size. `squash` has Keys' cubic of
the same distance in place of the triangle.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def weights(old: int, new: int) -> Float[Tensor, "new old"]:
    """What each of `new` pixels takes of each of `old` ones; the identity if they are as many."""
    triangle = torch.relu(1 - distances(old, new))
    return triangle / triangle.sum(dim=1, keepdim=True)


def cubic_weights(old: int, new: int) -> Float[Tensor, "new old"]:
    """The same for a bicubic resize, as torch's and Pillow's (Keys 1981, a = -1/2)."""
    x = distances(old, new)
    near = 1 + x * x * (1.5 * x - 2.5)
    far = 2 + x * (-4 + x * (2.5 - 0.5 * x))
    cubic = torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
    return cubic / cubic.sum(dim=1, keepdim=True)


def distances(old: int, new: int) -> Float[Tensor, "new old"]:
    """From the centre of each new pixel to that of each old one, in the larger of the two."""
    ours = (2 * torch.arange(new) + 1)[:, None] * old
    theirs = (2 * torch.arange(old) + 1) * new
    return (theirs - ours).abs().float() / (2 * torch.sym_max(old, new))


def resize(
    values: Float[Tensor, "batch channel height width"], size: tuple[int, int]
) -> Float[Tensor, "batch channel new_height new_width"]:
    """Values on a grid of another size: bilinear, antialiased, pixel areas aligned."""
    height, width = values.shape[2:]
    return weights(height, size[0]) @ values @ weights(width, size[1]).T


def squash(
    pictures: Float[Tensor, "batch 3 height width"], side: int
) -> Float[Tensor, "batch 3 side side"]:
    """`monostep.images.squash` for pictures of any size in one graph."""
    height, width = pictures.shape[2:]
    return cubic_weights(height, side) @ pictures @ cubic_weights(width, side).T
