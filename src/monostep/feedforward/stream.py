"""Whether, and in how many rows at a time, a large map is worked on in strips."""

import torch
from torch import Tensor, nn

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


class Joined:
    """A map that is written strip by strip, from the top."""

    def __init__(self, height: int) -> None:
        self._height, self._filled = height, 0
        self._map: Tensor | None = None

    def add(self, strip: Tensor) -> None:
        """Put the next rows below those that are there."""
        if self._map is None:
            shape = (strip.shape[0], strip.shape[1], self._height, strip.shape[3])
            self._map = torch.empty(
                shape,
                dtype=strip.dtype,
                device=strip.device,
                memory_format=torch.channels_last,
            )
        self._map[:, :, self._filled : self._filled + strip.shape[2]] = strip
        self._filled += strip.shape[2]

    @property
    def whole(self) -> Tensor:
        """The map, when all of it was added."""
        assert self._map is not None and self._filled == self._height
        return self._map
