"""TIFF colour of more than 8 bits, which Pillow cuts or refuses; needs tifffile."""

from typing import TYPE_CHECKING, Any

import numpy as np

from monostep.files.decoded import (
    DECODE_ERRORS,
    Decoded,
    Samples,
    checked_floats,
    full_scale,
    refuse_bomb,
)
from monostep.files.in_memory import File
from monostep.files.orientation import positive, valid_orientation

if TYPE_CHECKING:
    from tifffile import TiffPage

_ORIENTATION, _EXIF = 274, 34665
_BLACK_IS_ZERO, _RGB = 1, 2
_PREMULTIPLIED, _ALPHA = 1, 2


def decode(path: File) -> Decoded | None:
    """Return 16-bit or floating point colour, or None when the file is best left to Pillow.

    That is: other kinds of samples, a compression or layout unknown to tifffile, or no tifffile.

    Raises:
        InputError: floating point samples are NaN or outside 0..1.
        PIL.Image.DecompressionBombError: the file announces too many pixels.
    """
    try:
        from tifffile import TiffFile
    except ImportError:
        return None
    try:
        with path.open("rb") as data, TiffFile(data) as file:
            page: Any = file.pages.first
            if not _is_wide_colour(page):
                return None
            refuse_bomb(page.imagewidth, page.imagelength)
            values, pages = page.asarray(), len(file.pages)
            stored = np.moveaxis(values, 0, -1) if page.axes == "SYX" else values
    except DECODE_ERRORS:
        return None
    samples, changes = _colours(stored, page)
    first = (f"frame 1 of {pages}",) if pages > 1 else ()
    exif = _tag(page, _EXIF) or {}
    return Decoded(
        samples=samples,
        orientation=valid_orientation(_tag(page, _ORIENTATION)),
        focal_35mm=positive(exif.get("FocalLengthIn35mmFilm")),
        profile=page.iccprofile,
        changes=first + changes,
    )


def _is_wide_colour(page: "TiffPage") -> bool:
    """Tell whether the page holds colour, or grey with alpha, of 16-bit or float samples."""
    kind = page.dtype
    return (
        kind is not None
        and (kind == np.uint16 or kind.kind == "f")
        and page.samplesperpixel > 1
        and page.photometric in (_BLACK_IS_ZERO, _RGB)
        and page.axes in ("YXS", "SYX")
    )


def _colours(stored: np.ndarray, page: "TiffPage") -> tuple[Samples, tuple[str, ...]]:
    """Keep colour and straight alpha, put premultiplied alpha on white, drop other channels."""
    values = checked_floats(stored) if stored.dtype.kind == "f" else stored.astype(np.uint16)
    count = 3 if page.photometric == _RGB else 1
    meaning = tuple(page.extrasamples)[:1]
    if meaning == (_PREMULTIPLIED,):
        white = full_scale(values)
        clear = white - values[..., count : count + 1]
        # Written so that no sum passes the integer range, also in damaged files.
        blend = clear + np.minimum(values[..., :count], white - clear)
        return blend, ("alpha composited on white",)
    return np.ascontiguousarray(values[..., : count + (meaning == (_ALPHA,))]), ()


def _tag(page: "TiffPage", code: int) -> Any:
    tag = page.tags.get(code)
    return None if tag is None else tag.value
