"""What every image reader hands to the front door: samples as stored, and what they still need."""

import logging
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8, UInt16
from PIL import Image

from monostep.errors import InputError

# tifffile logs what it finds damaged; unless the program handles logs, that would reach stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

# Everything that Pillow, tifffile and pillow_heif are known to raise on damaged files.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)

Samples = (
    UInt8[np.ndarray, "height width _"]
    | UInt16[np.ndarray, "height width _"]
    | Float32[np.ndarray, "height width _"]
)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Samples of 1 to 4 channels (grey, grey + alpha, RGB, RGBA), not yet turned upright.

    uint8 spans 0..255, uint16 0..65535, float32 0..1. `orientation` is EXIF's 1..8, `focal_35mm`
    the equivalent focal length in millimetres, `profile` an ICC profile not applied yet, and
    `changes` says in words what reading has changed.
    """

    samples: Samples
    orientation: int = 1
    focal_35mm: float | None = None
    profile: bytes | None = None
    changes: tuple[str, ...] = ()


def full_scale(samples: np.ndarray) -> int:
    """Return the sample value that means white or opaque: 255, 65535 or 1."""
    return int(np.iinfo(samples.dtype).max) if samples.dtype.kind == "u" else 1


def refuse_bomb(width: int, height: int) -> None:
    """Refuse sizes in pixels beyond twice `PIL.Image.MAX_IMAGE_PIXELS`, as Pillow itself does.

    Raises:
        PIL.Image.DecompressionBombError: the image is larger.
    """
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > 2 * limit:
        raise Image.DecompressionBombError(
            f"image size ({width * height} pixels) exceeds limit of {2 * limit} pixels"
        )


def checked_floats(values: np.ndarray) -> np.ndarray:
    """Return floating point samples as float32 when all lie in 0..1.

    Raises:
        InputError: some are NaN or outside.
    """
    low, high = float(values.min()), float(values.max())
    if not (low >= 0.0 and high <= 1.0):
        got = "NaN" if np.isnan(low) else f"values from {low:.6g} to {high:.6g}"
        raise InputError(f"floating point images span 0..1, got {got}; rescale the values first")
    return values.astype(np.float32)


class _Silence:
    """Python's warnings off while at least one thread reads an image.

    `warnings.catch_warnings` alone is not safe in threads: two overlapping uses can leave the
    filters changed for good. Only the first to enter and the last to leave touch them here.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._outside = warnings.catch_warnings()

    def enter(self) -> None:
        with self._lock:
            if not self._readers:
                self._outside = warnings.catch_warnings()
                self._outside.__enter__()
                warnings.simplefilter("ignore")
            self._readers += 1

    def leave(self) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers:
                self._outside.__exit__(None, None, None)


_silence = _Silence()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the decoders' warnings (odd EXIF, large sizes) from reaching the user; thread-safe."""
    _silence.enter()
    try:
        yield
    finally:
        _silence.leave()
