"""What of a picture stays when it is stored anew: as another format, or a little smaller."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from monostep.errors import InputError
from monostep.files import photo
from monostep.files.decoded import full_scale
from monostep.images.fit import resize

SIDE_PX = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Fingerprint:
    """A picture's file and its look."""

    digest: bytes  # of the file
    colours: UInt8[np.ndarray, "16 16 3"]


def read(path: Path) -> Fingerprint:
    """The fingerprint of a picture that nothing else is asked of (raises InputError)."""
    pixels = photo.read(path).pixels
    return of(
        path, torch.from_numpy(pixels.astype(np.float32) / full_scale(pixels)).permute(2, 0, 1)
    )


def of(path: Path, image: Float[Tensor, "3 height width"]) -> Fingerprint:
    """The fingerprint of a picture and of the file that it was read from (raises InputError)."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "blake2b").digest()[:16]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    small = resize(image, (SIDE_PX, SIDE_PX)).clamp(0, 1)
    colours = (small * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return Fingerprint(digest=digest, colours=colours)
