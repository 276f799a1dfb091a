"""One image of own data with its geometry, decoded, at its own size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.data import frame_geometry, stored_maps
from monostep.data.manifest import Declaration, Row
from monostep.files import photo
from monostep.files.decoded import full_scale


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One image with its geometry."""

    image: Float[Tensor, "3 height width"]  # sRGB in [0, 1]
    depth_m: Float[Tensor, "height width"]  # z-depth, 0 where there is none
    normals: Float[Tensor, "3 height width"]  # unit, OpenCV frame; 0 where there is none
    has_normals: bool
    valid: Bool[Tensor, "height width"]  # of the depth; of the normals where there is only them
    sky: Bool[Tensor, "height width"]
    confidence: Float[Tensor, "height width"] | None
    intrinsics: Float[Tensor, "3 3"] | None  # pixel centres at integer + 0.5


def load(row: Row, declaration: Declaration, *, normals: bool = True) -> Frame:
    """Read the files of a row; maps of another size than the image are brought to its size.

    Without `normals` they are neither read nor derived where there is depth, which takes most of
    the time.

    Raises:
        InputError: a file that is missing, unreadable or does not fit the image; with its name.
        MissingExtraError: a format needs an extra package.
    """
    image = _image(row.image)
    size = (image.shape[1], image.shape[2])
    geometry = frame_geometry.read(row, declaration, size, normals=normals)
    confidence = None
    if row.confidence is not None:
        stored = stored_maps.read_confidence(row.confidence)
        confidence = frame_geometry.onto(stored, row.confidence, size)
    camera = frame_geometry.camera_of(row, image=size, grid=size)
    directions = geometry.normals
    return Frame(
        image=image,
        depth_m=geometry.depth_m,
        normals=torch.zeros_like(image) if directions is None else directions,
        has_normals=directions is not None,
        valid=geometry.valid,
        sky=geometry.sky,
        confidence=confidence,
        intrinsics=None if camera is None else frame_geometry.matrix(camera),
    )


def _image(path: Path) -> Float[Tensor, "3 height width"]:
    pixels = photo.read(path).pixels
    top = full_scale(pixels)
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1).contiguous() / top
