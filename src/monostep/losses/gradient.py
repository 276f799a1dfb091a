"""Gradient matching: the edges of two maps fall together.

    sum over scales k of  mean |dR_k/dx| + mean |dR_k/dy|

for the residual R of the aligned maps, R_k being every 2^k-th pixel of it. Sources: Li and
Snavely, MegaDepth (CVPR 2018), on logarithms; Ranftl et al., MiDaS (TPAMI 2022), on aligned
disparity, with four scales and weight 0.5.
"""

from jaxtyping import Float
from torch import Tensor

from monostep.geometry import masked

Map = Float[Tensor, "batch height width"]


def gradient_matching(residual: Map, weight: Map, *, scales: int) -> Float[Tensor, " batch"]:
    """Sum over scales of the mean step from pixel to pixel, right and down, of each image.

    A step counts by the product of its two pixels' weights. MiDaS divides every scale by the
    number of all pixels; here it is the number of the scale's own steps, so that neither the
    picture's size nor holes in the truth change the unit.
    """
    total = residual.new_zeros(residual.shape[0])
    for scale in range(scales):
        thinned, counted = (one[:, :: 2**scale, :: 2**scale] for one in (residual, weight))
        total = total + _steps(thinned, counted, dim=2) + _steps(thinned, counted, dim=1)
    return total


def _steps(residual: Map, weight: Map, *, dim: int) -> Float[Tensor, " batch"]:
    size = residual.shape[dim]
    first, second = (weight.narrow(dim, start, size - 1) for start in (0, 1))
    return masked.mean(residual.diff(dim=dim).abs(), first * second)
