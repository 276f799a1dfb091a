"""What a transformer reads besides its own tokens, by how much of it is constant.

1 constant token       the same vector for everyone
2 constant tokens      a sigmoid for each head
more                   keys and values are weights
more for each domain   likewise, one set for each of `DOMAINS`
1 token of an image    the same vector for all of its tokens, given at the call: no module
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.feedforward.layers import Dense

Tokens = Float[Tensor, "batch space channel"]


class PromptConstant(nn.Module):
    """Attention to one constant token: always the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, tokens: Tokens) -> Tokens:
        """The same for each token."""
        return self.bias.expand_as(tokens)


class PromptGate(nn.Module):
    """Attention to two constant tokens: between them the softmax is a sigmoid for each head."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.gate = Dense(channels, heads)
        self.towards = Dense(heads, channels)  # its bias is what the first token gives

    def forward(self, tokens: Tokens) -> Tokens:
        """What each token reads from the prompt."""
        return self.towards(self.gate(tokens).sigmoid())


class PromptAttention(nn.Module):
    """Attention to more constant tokens: keys and values are weights.

    With `domains` there are so many sets of tokens, and each image says whose it reads.
    """

    def __init__(
        self, channels: int, *, heads: int, tokens: int, domains: int | None = None
    ) -> None:
        super().__init__()
        sets = () if domains is None else (domains,)
        self.query = Dense(channels, channels)
        self.key = nn.Parameter(torch.empty(*sets, heads, tokens, channels // heads))
        self.value = nn.Parameter(torch.empty(*sets, heads, tokens, channels // heads))
        self.outward = Dense(channels, channels)

    def forward(self, tokens: Tokens, domain: Int[Tensor, " batch"] | None = None) -> Tokens:
        """What each token reads from the prompt, or from that of its image's domain."""
        heads, batch = self.key.shape[-3], tokens.shape[0]
        query = self.query(tokens).unflatten(2, (heads, -1)).transpose(1, 2)
        key, value = (
            part.expand(batch, -1, -1, -1) if domain is None else part[domain]
            for part in (self.key, self.value)
        )
        read = F.scaled_dot_product_attention(query, key, value)
        return self.outward(read.transpose(1, 2).flatten(2))


def attention(
    channels: int, *, heads: int, tokens: int, domains: int | None = None
) -> nn.Module | None:
    """The cheapest attention to so many constant tokens; None where there are none."""
    if tokens == 0:
        return None
    if domains is None and tokens == 1:
        return PromptConstant(channels)
    if domains is None and tokens == 2:
        return PromptGate(channels, heads)
    return PromptAttention(channels, heads=heads, tokens=tokens, domains=domains)
