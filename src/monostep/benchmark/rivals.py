"""Depth estimators of transformers with random weights: how fast a network is, they tell as well.

Sources of the dimensions: the configurations published with Depth Anything V2 (Yang et al., 2024)
and DPT-Large (Ranftl et al., 2021).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module, util
from typing import Any

import torch
from torch import Tensor, nn

from monostep.benchmark.cases import Case
from monostep.benchmark.program import Pictures, Program
from monostep.device import DTYPES
from monostep.diffusion.latent_diffusion import channels_last
from monostep.errors import MissingExtraError


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """How a network is made, and by what the sides of its images must be divisible."""

    make: Callable[[], nn.Module]
    patch: int


def check(name: str) -> None:
    """Tell before anything runs whether a rival can be made.

    Raises:
        MissingExtraError: transformers is not installed.
    """
    if util.find_spec("transformers") is None:
        raise MissingExtraError(
            f"{name}: transformers is not installed; pip install 'monostep[convert]'"
        )


def libraries() -> None:
    """Import what making needs: transformers imports its models when they are first named."""
    transformers: Any = import_module("transformers")
    _ = transformers.DepthAnythingForDepthEstimation, transformers.DPTForDepthEstimation


def load(name: str, dtype: str, device: torch.device) -> Program:
    """A rival with random weights, its images and weights laid out as ours."""
    architecture = ARCHITECTURES[name]
    model = channels_last(architecture.make().to(device, DTYPES[dtype]))

    @torch.inference_mode()
    def predict(pictures: Pictures, _: Case) -> Tensor:
        images = pictures.to(device, DTYPES[dtype], memory_format=torch.channels_last)
        return model(pixel_values=images).predicted_depth

    return Program(dtype=dtype, predict=predict, patch=architecture.patch)


def _depth_anything(
    *, width: int, layers: int, taken: list[int], neck: list[int], fusion: int
) -> nn.Module:
    """Depth Anything V2: a DINOv2 whose layers `taken` go into the neck of these widths."""
    transformers: Any = import_module("transformers")
    backbone = transformers.Dinov2Config(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        image_size=518,
        patch_size=14,
        out_indices=taken,
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=width,
        neck_hidden_sizes=neck,
        fusion_hidden_size=fusion,
    )
    return transformers.DepthAnythingForDepthEstimation(config).eval()


def _dpt_large() -> nn.Module:
    transformers: Any = import_module("transformers")
    config = transformers.DPTConfig(
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        backbone_out_indices=[5, 11, 17, 23],
        neck_hidden_sizes=[256, 512, 1024, 1024],
        fusion_hidden_size=256,
    )
    return transformers.DPTForDepthEstimation(config).eval()


ARCHITECTURES = {
    "depth-anything-v2-small": Architecture(
        make=partial(
            _depth_anything,
            width=384,
            layers=12,
            taken=[3, 6, 9, 12],
            neck=[48, 96, 192, 384],
            fusion=64,
        ),
        patch=14,
    ),
    "depth-anything-v2-large": Architecture(
        make=partial(
            _depth_anything,
            width=1024,
            layers=24,
            taken=[5, 12, 18, 24],
            neck=[256, 512, 1024, 1024],
            fusion=256,
        ),
        patch=14,
    ),
    "dpt-large": Architecture(make=_dpt_large, patch=16),
}
