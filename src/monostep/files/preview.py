"""Pictures for people: coloured depth, coloured normals, side by side. Never read values back."""

import os
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from monostep.files.atomic import replacing

# ColorBrewer 2.0 "Spectral", 11 classes (Cynthia Brewer, Mark Harrower, Penn State; Apache-2.0),
# red to violet; Marigold's figures use it with red for near.
_SPECTRAL = (
    (0x9E, 0x01, 0x42),
    (0xD5, 0x3E, 0x4F),
    (0xF4, 0x6D, 0x43),
    (0xFD, 0xAE, 0x61),
    (0xFE, 0xE0, 0x8B),
    (0xFF, 0xFF, 0xBF),
    (0xE6, 0xF5, 0x98),
    (0xAB, 0xDD, 0xA4),
    (0x66, 0xC2, 0xA5),
    (0x32, 0x88, 0xBD),
    (0x5E, 0x4F, 0xA2),
)
_ENDS = (0.001, 0.999)  # quantiles shown as nearest and farthest: a few outliers cost no contrast
_MOST_SAMPLED = 1_000_000  # pixels that are enough for those quantiles
_OPENCV_TO_VIEWER = np.array([1.0, -1.0, -1.0])  # y up and z towards the viewer, for colours
_GAP = 8  # pixels of white between pictures


def depth_preview(
    values: Float[np.ndarray, "height width"],
    valid: Bool[np.ndarray, "height width"] | None = None,
    *,
    near: Literal["small", "large"] = "small",
) -> UInt8[np.ndarray, "height width 3"]:
    """Colour a map between its extremes: near red, far violet, constant red, invalid black.

    `near` says which values are near: "small" for depth, "large" for disparity. Values may have
    any unit; those that are NaN or infinite count as invalid.
    """
    usable = _usable(np.isfinite(values), valid)
    if not usable.any():
        return np.zeros((*values.shape, 3), np.uint8)
    known = values[usable].astype(np.float64)
    low, high = np.quantile(known[:: 1 + known.size // _MOST_SAMPLED], _ENDS)
    place = np.clip((np.where(usable, values, low) - low) / ((high - low) or 1.0), 0.0, 1.0)
    if near == "large":
        place = 1.0 - place
    colours = _spectral()[np.rint(place * 255).astype(np.uint8)]
    return np.where(usable[..., None], colours, 0).astype(np.uint8)


def normals_preview(
    values: Float[np.ndarray, "height width 3"],
    valid: Bool[np.ndarray, "height width"] | None = None,
) -> UInt8[np.ndarray, "height width 3"]:
    """Colour OpenCV-frame unit normals as (n + 1) / 2 with x right, y up, z towards the viewer.

    A wall that faces the camera is (128, 128, 255); what is invalid or not finite is black.
    """
    usable = _usable(np.logical_and.reduce(np.isfinite(values), axis=-1), valid)
    shown = np.where(usable[..., None], values, 0.0) * _OPENCV_TO_VIEWER
    colours = np.rint(np.clip((shown + 1.0) * 127.5, 0, 255)).astype(np.uint8)
    return np.where(usable[..., None], colours, 0).astype(np.uint8)


def side_by_side(*pictures: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """Put pictures in a row with white gaps, all brought to the height of the first."""
    height = len(pictures[0])
    gap = np.full((height, _GAP, 3), 255, np.uint8)
    row: list[np.ndarray] = []
    for picture in pictures:
        row += [gap, _of_height(picture, height)]
    return np.concatenate(row[1:], axis=1)


def write_png8(path: str | os.PathLike[str], pixels: UInt8[np.ndarray, "height width 3"]) -> None:
    """Write an 8-bit RGB PNG at once or not at all (raises OutputError)."""
    with replacing(path) as temporary:
        # Level 1 of 9: a quarter of the usual level's time for a fifth more bytes.
        Image.fromarray(pixels).save(temporary, format="PNG", compress_level=1)


def _usable(
    finite: Bool[np.ndarray, "height width"], valid: Bool[np.ndarray, "height width"] | None
) -> Bool[np.ndarray, "height width"]:
    return finite if valid is None else finite & valid


def _of_height(
    picture: UInt8[np.ndarray, "old_height old_width 3"], height: int
) -> UInt8[np.ndarray, "new_height new_width 3"]:
    old_height, old_width = picture.shape[:2]
    if old_height == height:
        return picture
    width = max(1, round(old_width * height / old_height))
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def _spectral() -> UInt8[np.ndarray, "256 3"]:
    """Return 256 colours, linear between the anchors (as matplotlib's map of this name)."""
    anchors = np.array(_SPECTRAL, np.float64)
    at = np.linspace(0, len(anchors) - 1, 256)
    channels = [np.interp(at, np.arange(len(anchors)), anchors[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
