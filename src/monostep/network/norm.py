"""Group norm that keeps its digits on large maps.

torch's kernel for maps with channels last on a CPU sums the values and squares of all pixels in
float32: of 128 channels at 480x640 its result is off by 1e-4 to 1e-3 (torch 2.13), and the depth
of a whole network by 2e-3, where rounding explains 2e-5. Its kernel for planes does better.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

FEW = 4096  # pixels, whose sums lose no digit of float32 that matters


def sums_badly(features: Float[Tensor, "batch channel height width"]) -> bool:
    """Tell whether torch's group norm of this map would lose digits."""
    return (
        features.device.type == "cpu"
        and features.shape[2] * features.shape[3] > FEW
        and features.is_contiguous(memory_format=torch.channels_last)
    )


class GroupNorm(nn.GroupNorm):
    """torch's group norm; maps that its kernel sums badly go through it as planes."""

    def forward(
        self, input: Float[Tensor, "batch channel *space"]
    ) -> Float[Tensor, "batch channel *space"]:
        """The normalised map, laid out as it came."""
        if input.ndim != 4 or torch.compiler.is_compiling() or not sums_badly(input):
            return super().forward(input)
        done = super().forward(input.contiguous())
        return done.contiguous(memory_format=torch.channels_last)
