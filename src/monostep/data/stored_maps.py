"""Maps of own data as their files store them: float formats, our PNGs, and anybody's PNGs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.errors import InputError
from monostep.files import maps, png_codes
from monostep.files.map_layout import DEPTH, from_reading
from monostep.files.map_numpy import read_npy
from monostep.files.map_png import CHUNK
from monostep.files.png_codes import PngCodes

# A direction is a vector of about unit length. 8-bit codes of one are within 0.01 of it; shorter
# ones (128, 128, 128) and longer ones (0, 0, 0) say "none".
SHORTEST, LONGEST = 0.1, 1.2
_SLACK = 1.05  # what a component of a float file may reach, rounded and resampled


def read_depth(path: Path) -> tuple[Float[Tensor, "height width"], Mapping[str, Any]]:
    """Values of a depth map, not yet in metres, and what the file says of them.

    A PNG with our text chunk is decoded by it; the codes of any other are the values.

    Raises:
        InputError: missing, damaged, or no map of one channel.
        MissingExtraError: the format needs an extra package.
    """
    if path.suffix.lower() != ".png" or CHUNK in (stored := png_codes.read(path)).text:
        values, about = maps.read_depth(path)
        return torch.from_numpy(values), about
    return torch.from_numpy(_single(stored, path).astype(np.float32)), {}


def read_normals(path: Path) -> tuple[Float[Tensor, "3 height width"], Mapping[str, Any]]:
    """Unit vectors in the file's own frame, 0 where there is none, and what the file says.

    The codes of a PNG without our text chunk span -1..1.

    Raises:
        InputError: missing, damaged, no map of three channels, or components beyond -1..1.
        MissingExtraError: the format needs an extra package.
    """
    about: Mapping[str, Any] = {}
    if path.suffix.lower() != ".png" or CHUNK in (stored := png_codes.read(path)).text:
        values, about = maps.read_normals(path)
        most = np.abs(values, where=np.isfinite(values), out=np.zeros_like(values)).max()
        if most > _SLACK:
            raise InputError(
                f"{path}: normals with components up to {most:.4g}; expected -1..1, as floats, "
                "or the codes of a PNG"
            )
    elif stored.codes.shape[2] < 3:
        raise InputError(f"{path}: a normal map has three channels, got {stored.codes.shape[2]}")
    else:
        values = stored.codes[..., :3] * np.float32(2 / stored.top) - np.float32(1)
    return _unit(torch.from_numpy(values).permute(2, 0, 1)), about


def read_mask(path: Path) -> Bool[Tensor, "height width"]:
    """Where a mask is not 0, in any of its channels but alpha.

    Raises:
        InputError: missing, damaged, or no mask.
        MissingExtraError: the format needs an extra package.
    """
    if path.suffix.lower() != ".png":
        values = _flags(path) if path.suffix.lower() == ".npy" else maps.read_depth(path)[0]
        return torch.from_numpy((values != 0) & ~np.isnan(values))
    codes = png_codes.read(path).codes
    colours = codes[..., : 3 if codes.shape[2] > 2 else 1]
    return torch.from_numpy(colours.any(axis=2))


def read_confidence(path: Path) -> Float[Tensor, "height width"]:
    """Confidence in [0, 1]: floats, or the codes of a PNG as a share of their largest.

    Raises:
        InputError: missing, damaged, or values beyond [0, 1].
        MissingExtraError: the format needs an extra package.
    """
    if path.suffix.lower() == ".png" and CHUNK not in (stored := png_codes.read(path)).text:
        return torch.from_numpy(_single(stored, path) / np.float32(stored.top))
    values = maps.read_depth(path)[0]
    if not ((values >= 0) & (values <= 1)).all():  # false for NaN too
        raise InputError(
            f"{path}: confidence from {values.min():.4g} to {values.max():.4g}; expected [0, 1]"
        )
    return torch.from_numpy(values)


def _flags(path: Path) -> np.ndarray:
    """Numbers, or what numpy's comparisons make: bool is no number to the readers of maps."""
    values = read_npy(path, DEPTH)[0]
    return from_reading(
        values.astype(np.uint8) if values.dtype == bool else values, DEPTH, str(path)
    )


def _single(stored: PngCodes, path: Path) -> np.ndarray:
    if stored.palette or stored.codes.shape[2] != 1:
        kind = "a palette" if stored.palette else f"{stored.codes.shape[2]} channels"
        raise InputError(f"{path}: expected one channel of numbers, got {kind}; a picture of it?")
    return stored.codes[..., 0]


def _unit(values: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 height width"]:
    length = values.norm(dim=0, keepdim=True)
    direction = (length >= SHORTEST) & (length <= LONGEST)  # false for NaN
    return torch.where(direction, values / length, 0)
