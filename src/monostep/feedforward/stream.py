"""Whether, and in how many rows at a time, a large map is worked on in strips."""

import torch
from torch import nn

from monostep.network.blocks import Features

WHOLE = 0  # strip size that means: no strips


class Streamed(nn.Module):
    """A layer that can go through a large map in strips of about `strip` bytes."""

    strip: int = WHOLE


def is_free() -> bool:
    """Whether results may reuse memory and loops may depend on sizes: no gradient, no tracing."""
    return not torch.compiler.is_compiling() and torch.is_inference_mode_enabled()


def rows(features: Features, strip: int) -> int:
    """How many rows of a map make `strip` bytes; 0 where the map should be done as a whole."""
    if strip == WHOLE or not is_free():
        return 0
    whole = features.nbytes
    if whole <= 2 * strip:
        return 0
    return max(strip * features.shape[2] // whole, 1)
