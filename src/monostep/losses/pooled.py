"""From the images' means to the mean of the whole batch."""

import torch
from jaxtyping import Float
from torch import Tensor


def shares(
    means: Float[Tensor, " batch"], weight: Float[Tensor, "batch height width"]
) -> Float[Tensor, " batch"]:
    """Shares of the images whose mean is the weighted mean over all pixels of the batch.

    An image with more valid pixels weighs more, as in E2E-FT's losses; with equal weights a share
    is the image's own mean. 0, with zero gradient, where no pixel of the batch has weight.
    """
    own = weight.sum(dim=(1, 2))
    average = own.mean()
    return means * own / torch.where(average > 0, average, torch.ones_like(average))
