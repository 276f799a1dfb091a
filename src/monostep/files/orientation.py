"""How a camera was held and what lens it had, from EXIF."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Shaped
from PIL import ExifTags, Image

from monostep.files.decoded import DECODE_ERRORS

_DIAGONAL_35MM = math.hypot(36.0, 24.0)  # millimetres of film that "35 mm equivalent" refers to

# EXIF 2.32, tag 0x0112: what turns the stored rows and columns upright.
_UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored[::-1].swapaxes(0, 1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: stored[:, ::-1].swapaxes(0, 1),
}


def upright(
    stored: Shaped[np.ndarray, "height width channels"], orientation: int
) -> Shaped[np.ndarray, "upright_height upright_width channels"]:
    """Return stored samples turned and mirrored as EXIF orientation 1..8 asks."""
    return np.ascontiguousarray(_UPRIGHT[orientation](stored))


def valid_orientation(value: object) -> int:
    """Return `value` when it is one of EXIF's 1..8, else 1 (as every viewer does)."""
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def exif_facts(image: Image.Image) -> tuple[int, float | None]:
    """Return orientation 1..8 and equivalent focal length in mm; damaged EXIF counts as none."""
    try:
        exif = image.getexif()
        focal = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
        return valid_orientation(exif.get(ExifTags.Base.Orientation)), positive(focal)
    except DECODE_ERRORS:
        return 1, None


def positive(value: object) -> float | None:
    """Return a positive finite number as float, anything else (EXIF's 0 is "unknown") as None."""
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if 0 < number < math.inf else None


def focal_px(focal_35mm: float | None, height: int, width: int) -> float | None:
    """Return the focal length in pixels of an image whose diagonal is that of 35 mm film."""
    return None if focal_35mm is None else focal_35mm * math.hypot(height, width) / _DIAGONAL_35MM
