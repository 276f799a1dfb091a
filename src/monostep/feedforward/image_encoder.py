"""The image encoder, and behind it what every transformer of the UNet reads of its vector.

    picture -> patches -> blocks -> the first token -> vector -> W_o W_v vector + b, for all of them

Attention to one token is no attention: the softmax over one is 1, so neither queries nor keys.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.feedforward.blocks import SelfAttention, Tokens
from monostep.feedforward.layers import Conv, Dense
from monostep.network.image_encoder import ImageEncoderConfig


class Block(nn.Module):
    """Attention and perceptron, each after a norm without weights and with a residual."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.eps, self.quick = config.eps, config.activation == "quick_gelu"
        self.attention = SelfAttention(config.width, heads=config.heads, bias=True)
        self.inward = Dense(config.width, config.inner)
        self.outward = Dense(config.inner, config.width)

    def forward(self, tokens: Tokens) -> Tokens:
        """The tokens after one round of looking around."""
        tokens = self.attention(_normal(tokens, self.eps)) + tokens
        wide = self.inward(_normal(tokens, self.eps))
        # x sigmoid(1.702 x) is silu(1.702 x) / 1.702, and those factors are in the weights.
        return self.outward(F.silu(wide) if self.quick else F.gelu(wide)) + tokens


class ImageEncoder(nn.Module):
    """Square pictures in [0, 1] to the vectors that the transformers add to all of their tokens.

    Two products at the end where one would do: the vector between them is the narrowest place.
    """

    def __init__(self, config: ImageEncoderConfig, *, told: int) -> None:
        super().__init__()
        self.eps = config.eps
        self.patches = Conv(3, config.width, config.patch, stride=config.patch, bias=False)
        places = (config.side // config.patch) ** 2 + 1
        self.places = nn.Parameter(torch.empty(places, config.width))  # the first is all its token
        self.norm = nn.LayerNorm(config.width, eps=config.eps)
        self.blocks = nn.Sequential(*(Block(config) for _ in range(config.layers)))
        self.vector = Dense(config.width, config.outputs)
        self.told = Dense(config.outputs, told)

    def forward(self, picture: Float[Tensor, "batch 3 side side"]) -> Float[Tensor, "batch told"]:
        """What each transformer adds, one after another."""
        patches = self.patches(picture, padding=(0, 0)).flatten(2).mT + self.places[1:]
        whole = self.places[:1].expand(picture.shape[0], 1, -1)
        tokens = self.blocks(self.norm(torch.cat([whole, patches], dim=1)))
        return self.told(self.vector(_normal(tokens[:, 0], self.eps)))


def _normal(tokens: Float[Tensor, "*any channel"], eps: float) -> Float[Tensor, "*any channel"]:
    return F.layer_norm(tokens, tokens.shape[-1:], eps=eps)
