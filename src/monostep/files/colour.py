"""Colour profiles to sRGB, and alpha over white."""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from monostep.files.decoded import DECODE_ERRORS, Samples, full_scale

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # ICC colour space -> Pillow mode


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """Return an 8-bit image as sRGB mode RGB without alpha, and what was changed in words."""
    changes = () if image.mode != "CMYK" else ("converted from CMYK",)
    if profile is None:
        return _plain_rgb(image), changes
    try:
        return _through_profile(image, profile, changes)
    except (ImageCms.PyCMSError, *DECODE_ERRORS):
        return _plain_rgb(image), (*changes, "ignored an ICC profile that does not fit or is bad")


def is_srgb(profile: bytes) -> bool:
    """Tell whether a profile's own name says that it is sRGB, so that nothing need be done."""
    try:
        name = _name(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, *DECODE_ERRORS):
        return False
    return name.startswith("sRGB") or "IEC61966-2.1" in name.replace(" ", "")


def over_white(samples: Samples) -> tuple[Samples, tuple[str, ...]]:
    """Composite grey + alpha or RGBA on white, in the samples' own precision."""
    if samples.shape[2] in (1, 3):
        return samples, ()
    colour, alpha = samples[..., :-1], samples[..., -1:]
    white = full_scale(samples)
    if (alpha == white).all():
        return np.ascontiguousarray(colour), ()
    if samples.dtype == np.float32:
        blend = colour * alpha + (1 - alpha)
    else:
        # Rounded to nearest; 65535 * 65535 + 32767 still fits 32 bits.
        colour, alpha = colour.astype(np.uint32), alpha.astype(np.uint32)
        blend = (colour * alpha + white * (white - alpha) + white // 2) // white
    return blend.astype(samples.dtype), ("alpha composited on white",)


def _through_profile(
    image: Image.Image, profile: bytes, changes: tuple[str, ...]
) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert with littleCMS; raises PyCMSError or KeyError when profile and image do not fit."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = _MODES[_space(source)]
    if image.mode != mode and "CMYK" in (image.mode, mode):
        raise ImageCms.PyCMSError("profile and image differ in colour space")
    if mode == "RGB" and is_srgb(profile):
        return _plain_rgb(image), changes
    converted = ImageCms.profileToProfile(
        image if image.mode == mode else image.convert(mode),
        source,
        ImageCms.createProfile("sRGB"),
        outputMode="RGB",
    )
    if converted is None:
        raise ImageCms.PyCMSError("no image came back")
    return converted, (*changes, f"ICC profile {_name(source)!r} to sRGB")


def _plain_rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _name(profile: ImageCms.ImageCmsProfile) -> str:
    return " ".join(ImageCms.getProfileDescription(profile).split())


def _space(profile: ImageCms.ImageCmsProfile) -> str:
    core: Any = profile.profile  # Pillow's own annotation takes this for a file
    return core.xcolor_space.strip()
