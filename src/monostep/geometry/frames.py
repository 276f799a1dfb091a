"""Named frames of surface normals: which way +x, +y and +z point.

    name      x      y     z
    opencv    right  down  forward (into the scene)
    opengl    right  up    back (towards the camera): Marigold, diffusers, Hypersim
    directx   right  down  back
    dsine     left   up    back: DSINE, E2E-FT

Each differs from opencv by signs alone, so every conversion is its own inverse.
"""

from typing import Literal, TypeAlias, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.errors import SettingError

Frame: TypeAlias = Literal["opencv", "opengl", "directx", "dsine"]

SIGNS: dict[str, tuple[int, int, int]] = {
    "opencv": (1, 1, 1),
    "opengl": (1, -1, -1),
    "directx": (1, 1, -1),
    "dsine": (-1, -1, -1),
}


def check(name: str) -> Frame:
    """The name, if it is one of the four frames; SettingError otherwise."""
    if name not in SIGNS:
        raise SettingError(f"unknown normals frame {name!r}: choose {', '.join(get_args(Frame))}")
    return name  # pyright: ignore[reportReturnType]


def convert(
    normals: Float[Tensor, "*batch 3 height width"], *, source: str, target: str
) -> Float[Tensor, "*batch 3 height width"]:
    """The same normals with the axes of another frame."""
    signs = [a * b for a, b in zip(SIGNS[check(source)], SIGNS[check(target)], strict=True)]
    return normals * torch.tensor(signs, dtype=normals.dtype, device=normals.device)[:, None, None]
