"""CLIP's vision transformer: what a whole picture is about, as one vector.

    picture [B, 3, side, side] -> patches -> [class, patches] + positions -> blocks -> class -> out

Layout and parameter names follow transformers' CLIPVisionModelWithProjection: its files load as
they are. Source: Radford et al., Learning transferable visual models (CLIP), 2021.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.network.attention import attend

Pictures = Float[Tensor, "batch 3 side side"]
Tokens = Float[Tensor, "batch token channel"]
Activation: TypeAlias = Literal["quick_gelu", "gelu"]


@dataclass(frozen=True, kw_only=True)
class ImageEncoderConfig:
    """Dimensions of the encoder; what is not said is as in CLIP ViT-L/14."""

    side: int = 224  # pixels of the square that it looks at
    patch: int = 14  # pixels of a patch's side
    width: int = 1024
    layers: int = 24
    heads: int = 16
    inner: int = 4096
    outputs: int = 768
    activation: Activation = "quick_gelu"
    eps: float = 1e-5
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)  # of the colours
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)


class PatchEmbedding(nn.Module):
    """A token for the whole picture and one for each of its patches, all with their places."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        patches = (config.side // config.patch) ** 2
        self.class_embedding = nn.Parameter(torch.randn(config.width))
        self.patch_embedding = nn.Conv2d(
            3, config.width, config.patch, stride=config.patch, bias=False
        )
        self.position_embedding = nn.Embedding(1 + patches, config.width)

    def forward(self, picture: Pictures) -> Tokens:
        """The tokens of pictures whose colours have been normalised."""
        patches = self.patch_embedding(picture).flatten(2).mT  # batch patch channel
        whole = self.class_embedding.expand(len(picture), 1, -1)
        return torch.cat([whole, patches], dim=1) + self.position_embedding.weight


class SelfAttention(nn.Module):
    """Multi-head attention from tokens to themselves, with biases."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q_proj = nn.Linear(config.width, config.width)
        self.k_proj = nn.Linear(config.width, config.width)
        self.v_proj = nn.Linear(config.width, config.width)
        self.out_proj = nn.Linear(config.width, config.width)

    def forward(self, tokens: Tokens) -> Tokens:
        """What each token reads from all."""
        query, key, value = (
            projected.unflatten(2, (self.heads, -1)).transpose(1, 2)  # batch head token channel
            for projected in (self.q_proj(tokens), self.k_proj(tokens), self.v_proj(tokens))
        )
        read = attend(query, key, value)
        return self.out_proj(read.transpose(1, 2).flatten(2))


class Perceptron(nn.Module):
    """Two layers, token by token."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.activation = quick_gelu if config.activation == "quick_gelu" else F.gelu
        self.fc1 = nn.Linear(config.width, config.inner)
        self.fc2 = nn.Linear(config.inner, config.width)

    def forward(self, tokens: Tokens) -> Tokens:
        """The perceptron's output for every token."""
        return self.fc2(self.activation(self.fc1(tokens)))


def quick_gelu(x: Tensor) -> Tensor:
    """The GELU, nearly: x sigmoid(1.702 x), with which OpenAI's CLIP was trained."""
    return x * torch.sigmoid(1.702 * x)


class TransformerBlock(nn.Module):
    """Self-attention and perceptron, each after a norm and with a residual."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.width, eps=config.eps)
        self.self_attn = SelfAttention(config)
        self.layer_norm2 = nn.LayerNorm(config.width, eps=config.eps)
        self.mlp = Perceptron(config)

    def forward(self, tokens: Tokens) -> Tokens:
        """The tokens after one round of looking around."""
        tokens = self.self_attn(self.layer_norm1(tokens)) + tokens
        return self.mlp(self.layer_norm2(tokens)) + tokens


class VisionTransformer(nn.Module):
    """A picture in, what the token of the whole has become out."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.embeddings = PatchEmbedding(config)
        self.pre_layrnorm = nn.LayerNorm(config.width, eps=config.eps)  # transformers' spelling
        blocks = nn.Sequential(*(TransformerBlock(config) for _ in range(config.layers)))
        self.encoder = nn.ModuleDict({"layers": blocks})
        self.post_layernorm = nn.LayerNorm(config.width, eps=config.eps)

    def forward(self, picture: Pictures) -> Float[Tensor, "batch channel"]:
        """The last state of the first token, normalised."""
        tokens = self.encoder["layers"](self.pre_layrnorm(self.embeddings(picture)))
        return self.post_layernorm(tokens[:, 0])


class ImageEncoder(nn.Module):
    """A square picture in, its vector out."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_model = VisionTransformer(config)
        self.visual_projection = nn.Linear(config.width, config.outputs, bias=False)

    def forward(self, picture: Pictures) -> Float[Tensor, "batch outputs"]:
        """The vectors of pictures in [0, 1], or beyond it where a resize overshot."""
        mean, std = (
            picture.new_tensor(colour)[:, None, None]
            for colour in (self.config.mean, self.config.std)
        )
        return self.visual_projection(self.vision_model((picture - mean) / std))
