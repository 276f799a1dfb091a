"""Any Pillow image to samples, none of its modes clipped or misread."""

import numpy as np
from PIL import Image

from monostep.errors import InputError
from monostep.files.colour import to_srgb
from monostep.files.decoded import Decoded, Samples, checked_floats
from monostep.files.orientation import exif_facts

_WIDE_GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")  # `convert("RGB")` would clip these


def decode(image: Image.Image) -> Decoded:
    """Return the samples of the image's current frame; grey wider than 8 bits keeps its bits.

    Raises:
        InputError: grey values lie outside the range that their type can mean.
    """
    if not image.width or not image.height:
        raise InputError("an image without pixels")
    changes = _frame(image) + _lost_bits(image)
    profile = image.info.get("icc_profile")  # loading may drop it
    image.load()
    orientation, focal_35mm = exif_facts(image)
    samples, more = _wide_grey(image) if image.mode in _WIDE_GREY else _colour(image, profile)
    return Decoded(
        samples=samples,
        orientation=orientation,
        focal_35mm=focal_35mm,
        changes=changes + more,
    )


def _frame(image: Image.Image) -> tuple[str, ...]:
    frames = getattr(image, "n_frames", 1)
    return (f"frame {image.tell() + 1} of {frames}",) if frames > 1 else ()


def _lost_bits(image: Image.Image) -> tuple[str, ...]:
    """Notice, before loading, that Pillow will cut 16-bit colour to 8 bits."""
    tiles = getattr(image, "tile", ())
    raw = " ".join(str(tile[3]) for tile in tiles[:1])
    lost = ";16" in raw and image.mode not in _WIDE_GREY
    return ("16-bit colour cut to 8 bits",) if lost else ()


def _wide_grey(image: Image.Image) -> tuple[Samples, tuple[str, ...]]:
    values = np.asarray(image)[..., None]
    if image.mode == "F":
        return checked_floats(values), ()
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        raise InputError(
            f"integer grey values span 0..65535, got {low} to {high}; save as 16-bit grey"
        )
    grey, key = values.astype(np.uint16), image.info.get("transparency")
    if not isinstance(key, int):
        return grey, ()
    return np.concatenate([grey, np.where(grey == key, 0, 65535).astype(np.uint16)], axis=2), ()


def _colour(image: Image.Image, profile: bytes | None) -> tuple[Samples, tuple[str, ...]]:
    if not image.has_transparency_data:
        colour, changes = to_srgb(image, profile)
        return np.asarray(colour), changes
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    colour, changes = to_srgb(rgba.convert("RGB"), profile)
    return np.dstack([np.asarray(colour), np.asarray(rgba)[..., 3]]), changes
