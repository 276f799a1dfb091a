"""What the published scripts do to maps beyond `monostep.geometry.decode`.

Source: E2E-FT's fork of Marigold.
"""

import torch
from jaxtyping import Float
from torch import Tensor

Vectors = Float[Tensor, "batch 3 height width"]


def min_max(depth: Float[Tensor, "height width"]) -> Float[Tensor, "height width"]:
    """Depth brought to [0, 1] by its own extremes, for one member too; a constant becomes zeros."""
    nearest, farthest = depth.min(), depth.max()
    span = farthest - nearest
    return (depth - nearest) / torch.where(span > 0, span, torch.ones_like(span))


def shorten(vectors: Vectors) -> Vectors:
    """Vectors divided by their length plus 1e-5: done after decoding and again after ensembling."""
    return vectors / (torch.linalg.vector_norm(vectors, dim=1, keepdim=True) + 1e-5)
