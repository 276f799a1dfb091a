"""From the decoder's three channels to depth or normals: the one place, for training and use.

Source: Marigold's convention, kept by E2E-FT: depth is the channels' mean, -1 near and 1 far;
normals are the channels, normalised.
"""

import torch
from jaxtyping import Float
from torch import Tensor

Decoded = Float[Tensor, "batch 3 height width"]


def depth(
    decoded: Float[Tensor, "batch channel height width"],
) -> Float[Tensor, "batch height width"]:
    """Affine depth in [-1, 1], -1 near; of a folded network's one channel, or of three."""
    return decoded.float().mean(dim=1).clamp(-1, 1)


def normals(decoded: Decoded, *, clip: bool = False) -> Float[Tensor, "batch 3 height width"]:
    """Unit vectors in the frame the network was trained on; the zero vector stays finite.

    `clip` brings the channels into [-1, 1] first, as Marigold does and E2E-FT does not.
    """
    decoded = decoded.float().clamp(-1, 1) if clip else decoded.float()
    length = (decoded.square().sum(dim=1, keepdim=True) + 1e-12).sqrt()
    return decoded / length


def unit(vectors: Decoded) -> Decoded:
    """Vectors brought to length 1 after a resize, (0, 0, -1) where nothing is left of them."""
    length = vectors.square().sum(dim=1, keepdim=True).sqrt()
    forward = vectors.new_tensor([0, 0, -1])[:, None, None]
    tiny = 1e-6
    return torch.where(length > tiny, vectors / length.clamp_min(tiny), forward)
