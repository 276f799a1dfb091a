"""Images that a program already holds as numpy arrays."""

import numpy as np
from jaxtyping import Shaped

from monostep.errors import InputError
from monostep.files.decoded import Decoded, checked_floats

_EXPECTED = "expected [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]"


def decode(array: Shaped[np.ndarray, "..."]) -> Decoded:
    """Return an array's samples: uint8 0..255, uint16 0..65535 or floats 0..1; RGB, sRGB.

    Raises:
        InputError: shape, type or values are others.
    """
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        planes = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        hint = "; transpose [C, H, W] arrays first" if planes else ""
        raise InputError(f"an image array of shape {list(array.shape)}: {_EXPECTED}{hint}")
    if not array.size:
        raise InputError(f"an image array of shape {list(array.shape)} has no pixels: {_EXPECTED}")
    return Decoded(samples=_samples(array if array.ndim == 3 else array[..., None]))


def _samples(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "f":
        return checked_floats(array)
    native = array.dtype.newbyteorder("=")
    if native in (np.uint8, np.uint16):
        return array.astype(native)
    raise InputError(
        f"an image array of type {array.dtype}: expected uint8 (0..255), uint16 (0..65535) "
        "or floating point (0..1)"
    )
