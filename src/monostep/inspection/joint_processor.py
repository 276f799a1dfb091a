"""Joint attention in diffusers' own UNet, put there as its users put in a kernel of theirs.

GeoWizard's program does so only where xformers is switched on, and says nothing where it is not.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Tokens = Float[Tensor, "both_halves token channel"]


class JointProcessor:
    """What diffusers' attention calls: the tokens of both halves of the batch read each other."""

    def __call__(self, attention: Any, hidden_states: Tokens, **_: Any) -> Tokens:
        """The output of one self-attention of a transformer block."""
        depth, normals = hidden_states.chunk(2)
        both = torch.cat([depth, normals], dim=1)
        query, key, value = (
            made(both).unflatten(2, (attention.heads, -1)).transpose(1, 2)
            for made in (attention.to_q, attention.to_k, attention.to_v)
        )
        read = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        return torch.cat(attention.to_out[0](read).chunk(2, dim=1))


def install(unet: Any) -> None:
    """Put it into every self-attention of a UNet2DConditionModel."""
    for name, layer in unet.named_modules():
        if name.endswith(".attn1"):
            layer.set_processor(JointProcessor())
