"""Anything that is an image to the tensor that the rest of the way knows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from monostep.errors import InputError
from monostep.files import photo
from monostep.images.squash import squash


def as_tensor(image: Any) -> Float[Tensor, "3 height width"]:
    """Any accepted image as float32 RGB in [0, 1]; InputError for anything else."""
    if isinstance(image, Tensor):
        return _checked(image)
    if isinstance(image, str):
        image = Path(image)
    pixels = photo.read(image).pixels
    top = {np.uint8: 255, np.uint16: 65535}.get(pixels.dtype.type, 1)
    values = torch.from_numpy(pixels.astype(np.float32))
    return (values / top).permute(2, 0, 1)


def _checked(image: Tensor) -> Float[Tensor, "3 height width"]:
    if image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
        raise InputError(
            f"tensor of shape {tuple(image.shape)}: expected [3, H, W] or [B, 3, H, W]"
        )
    if image.dtype == torch.uint8:
        return image.float() / 255
    if not image.dtype.is_floating_point:
        raise InputError(f"tensor of {image.dtype}: expected uint8 or floating point in [0, 1]")
    image = image.float()
    if not bool(((image >= 0) & (image <= 1)).all()):  # false for NaN too
        raise InputError(
            f"tensor values from {image.min().item():.4g} to {image.max().item():.4g}: "
            "expected [0, 1]; divide by the largest value of the format"
        )
    return image


def as_bytes(
    picture: Float[Tensor, "3 height width"],
) -> UInt8[np.ndarray, "height width 3"]:
    """A picture in [0, 1] as 8-bit pixels, for people to look at."""
    return (picture * 255).round().byte().permute(1, 2, 0).contiguous().cpu().numpy()


def as_squares(
    shown: Sequence[Float[Tensor, "3 _ _"]], side: int
) -> Float[Tensor, "picture 3 side side"]:
    """Pictures in [-1, 1], of any sizes, as squares of `side` pixels, about in [0, 1].

    Each is resized alone, so that none depends on the others. With side 0 nothing is left of them.
    """
    if side == 0:
        return torch.empty(len(shown), 3, 0, 0, device=shown[0].device)
    return torch.cat([squash((picture[None] + 1) / 2, side) for picture in shown])
