"""Joint attention in diffusers' own UNet: the oracle of GeoWizard's, as its paper describes it."""

import torch
from torch import nn


class JointAttention:
    """A processor of diffusers' attention: each half of a batch reads from the tokens of both.

    Written out with plain products and softmax, so that it shares nothing with ours.
    """

    def __call__(
        self, attention, hidden_states, encoder_hidden_states=None, attention_mask=None, **_
    ):
        assert encoder_hidden_states is None
        assert attention_mask is None
        heads = attention.heads
        depth, normals = hidden_states.chunk(2)
        both = torch.cat([depth, normals], dim=1)
        read = torch.cat([self._read(attention, half, both, heads) for half in (depth, normals)])
        return attention.to_out[0](read)

    def _read(self, attention, tokens, seen, heads):
        query = attention.to_q(tokens).unflatten(2, (heads, -1))
        key = attention.to_k(seen).unflatten(2, (heads, -1))
        value = attention.to_v(seen).unflatten(2, (heads, -1))
        logits = torch.einsum("bqhc,bkhc->bhqk", query, key) / query.shape[-1] ** 0.5
        return torch.einsum("bhqk,bkhc->bqhc", logits.softmax(dim=-1), value).flatten(2)


def install(unet: nn.Module) -> nn.Module:
    """The UNet itself, with joint attention in every self-attention of its transformers."""
    for name, layer in unet.named_modules():
        if name.endswith("attn1"):
            layer.set_processor(JointAttention())
    return unet
