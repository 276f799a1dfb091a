"""The front door for photographs: any file, Pillow image or array to upright sRGB pixels."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Shaped, UInt8, UInt16
from PIL import Image, UnidentifiedImageError

from monostep.errors import InputError, MonostepError
from monostep.files import heif, photo_array, pillow_image, png16, wide_png, wide_tiff
from monostep.files.colour import is_srgb, over_white, to_srgb
from monostep.files.decoded import DECODE_ERRORS, Decoded, full_scale, quiet
from monostep.files.in_memory import File, InMemory
from monostep.files.orientation import focal_px, upright

Pixels = (
    UInt8[np.ndarray, "height width 3"]
    | UInt16[np.ndarray, "height width 3"]
    | Float32[np.ndarray, "height width 3"]
)

_HEAD = 64  # bytes that tell the kinds of files apart
_STORED = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")  # modes of at most 8 bits
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True, kw_only=True)
class Photo:
    """An upright sRGB image: uint8 spans 0..255, uint16 0..65535, float32 0..1.

    `focal_px` is the focal length in pixels of `pixels` from EXIF, None when unknown; `changes`
    says in words what reading has changed ("alpha composited on white").
    """

    pixels: Pixels
    focal_px: float | None
    changes: tuple[str, ...]


def read(
    source: str | os.PathLike[str] | InMemory | Image.Image | Shaped[np.ndarray, "..."],
) -> Photo:
    """Return the photograph in a file, a Pillow image or an array, in its own bit depth.

    Raises:
        InputError: it is missing, damaged, too large, or no image that can be read.
        MissingExtraError: its format needs an extra package, which the message names.
    """
    if isinstance(source, np.ndarray):
        return _finish(photo_array.decode(source))
    if isinstance(source, Image.Image):
        with _one_line_errors(getattr(source, "filename", "") or "the Pillow image"), quiet():
            return _finish(pillow_image.decode(source))
    path = source if isinstance(source, InMemory) else Path(source)
    with _one_line_errors(str(path)), quiet():
        return _finish(_decode_file(path, _head(path)))


def read_stored(file: File) -> UInt8[np.ndarray, "height width 3"]:
    """Return the 8-bit colours that a file stores: not turned, without profile and alpha.

    Benchmarks mean their images so; their truth lies on the stored grid.

    Raises:
        InputError: it is missing, damaged, too large, no image, or not of 8 bits.
    """
    with _one_line_errors(str(file)), quiet():
        facts = png16.header(_head(file))
        with file.open("rb") as data, Image.open(data) as image:
            wide = facts is not None and facts.bit_depth == 16  # Pillow would cut it to 8 bits
            if wide or image.mode not in _STORED:
                got = "16 bits" if wide else f"{image.mode!r}"
                raise InputError(f"expected 8-bit colour or grey, got {got}; convert it")
            if facts is not None:
                png16.verify(file.read_bytes())
            return np.array(image.convert("RGB"))


def stored_size(file: File) -> tuple[int, int]:
    """Return height and width as a file stores them, by its head (raises InputError)."""
    with _one_line_errors(str(file)), quiet():
        _head(file)
        with file.open("rb") as data, Image.open(data) as image:
            return image.height, image.width


def _head(path: File) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError) as error:
        # ValueError: a path with a null character in it.
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot be opened ({reason}); check that the path names a readable file"
        ) from error
    if not head:
        raise InputError("the file is empty; copy or download it again")
    return head


def _decode_file(path: File, head: bytes) -> Decoded:
    """Choose the reader by what the file's first bytes say, never by its name."""
    header = png16.header(head)
    if header is not None and header.bit_depth == 16 and not header.interlaced:
        return wide_png.decode(path)
    if heif.looks_like_heif(head):
        return heif.decode(path)
    wide = wide_tiff.decode(path) if head.startswith(_TIFF) else None
    if wide is not None:
        return wide
    with path.open("rb") as file, Image.open(file) as image:
        return pillow_image.decode(image)


def _finish(decoded: Decoded) -> Photo:
    """Apply what the reader has left: profile, alpha, grey to RGB, orientation."""
    samples, from_profile = _with_profile_applied(decoded)
    colour, from_alpha = over_white(samples)
    rgb = colour if colour.shape[2] == 3 else np.repeat(colour, 3, axis=2)
    turn = decoded.orientation
    pixels = upright(rgb, turn)
    turned = () if turn == 1 else (f"turned upright by EXIF orientation {turn}",)
    return Photo(
        pixels=pixels,
        focal_px=focal_px(decoded.focal_35mm, *pixels.shape[:2]),
        changes=decoded.changes + from_profile + from_alpha + turned,
    )


def _with_profile_applied(decoded: Decoded) -> tuple[np.ndarray, tuple[str, ...]]:
    """Convert wide samples to sRGB; littleCMS in Pillow takes 8 bits only, and we say so."""
    samples = decoded.samples
    if decoded.profile is None or is_srgb(decoded.profile):
        return samples, ()
    eight = np.rint(samples * (255.0 / full_scale(samples))).astype(np.uint8)
    count = 3 if samples.shape[2] > 2 else 1
    image = Image.fromarray(eight[..., :count].squeeze(2) if count == 1 else eight[..., :count])
    converted, changes = to_srgb(image, decoded.profile)
    if not any(change.startswith("ICC") for change in changes):
        return samples, changes
    colour = np.dstack([np.asarray(converted), eight[..., count:]])
    return colour, (*changes, "cut to 8 bits by the colour conversion")


@contextmanager
def _one_line_errors(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into one line that says what is wrong and what to do."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    except MonostepError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{name}: too large ({_one_line(error)}); make it smaller, or raise "
            "PIL.Image.MAX_IMAGE_PIXELS if you trust it"
        ) from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"{name}: not an image that can be read; convert it to PNG, JPEG or TIFF"
        ) from error
    except DECODE_ERRORS as error:
        raise InputError(
            f"{name}: damaged or truncated ({_one_line(error)}); copy it again or save it anew"
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
