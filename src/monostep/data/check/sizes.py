"""Maps whose size does not fit their picture's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from monostep.data import stored_maps
from monostep.data.check.findings import Finding, named
from monostep.data.frame_geometry import SAME_ASPECT
from monostep.data.manifest import Row
from monostep.errors import InputError
from monostep.files import photo
from monostep.files.decoded import quiet

Size = tuple[int, int]  # height, width


def misfit(row: Row) -> str:
    """Which map has another aspect ratio than its picture, with both sizes; empty if none has.

    Decodes the files: for rows that cannot be loaded, to say whether this is why.
    """
    try:
        image = photo.read(row.image).pixels.shape[:2]
    except InputError:
        return ""
    readers = {"depth": stored_maps.read_depth, "normals": stored_maps.read_normals}
    for role, read in readers.items():
        path: Path | None = getattr(row, role)
        if path is None:
            continue
        try:
            size = read(path)[0].shape[-2:]
        except InputError:
            continue
        if not _fits(size, image):
            return f"{role} of {size[1]}x{size[0]} for a picture of {image[1]}x{image[0]}"
    return _mask_misfit(row, image)


def scale(row: Row, image: Size) -> float | None:
    """Height of the depth map over that of its picture, where the file's head tells it."""
    size = None if row.depth is None else _stored(row.depth)
    return None if size is None else round(size[0] / image[0], 3)


def find(manifest: str, scales: Mapping[str, float]) -> list[Finding]:
    """Images whose map has another size, beside its picture's, than most: resized by mistake?"""
    counts = Counter(scales.values()).most_common()
    if len(counts) < 2:
        return []
    usual, count = counts[0]
    others = tuple(name for name, each in scales.items() if each != usual)
    if len(others) >= count:
        return []
    return [
        Finding(
            kind="size",
            severity="warning",
            manifest=manifest,
            images=others,
            message=(
                f"depth maps of {min(scales[name] for name in others):g} times their picture's "
                f"height, in most images {usual:g} times: {named(others)}; resized by mistake?"
            ),
            numbers={"scale": scales[others[0]], "usual": usual},
        )
    ]


def _mask_misfit(row: Row, image: Size) -> str:
    if row.mask is None:
        return ""
    try:
        size = tuple(stored_maps.read_mask(row.mask).shape)
    except InputError:
        return ""
    if _fits(size, image):
        return ""
    return f"mask of {size[1]}x{size[0]} for a picture of {image[1]}x{image[0]}"


def _fits(size: tuple[int, ...], image: tuple[int, ...]) -> bool:
    return abs(size[0] * image[1] / (size[1] * image[0]) - 1) <= SAME_ASPECT


def _stored(path: Path) -> Size | None:
    try:
        if path.suffix.lower() == ".npy":
            shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
            return (shape[0], shape[1]) if len(shape) > 1 else None
        if path.suffix.lower() in (".png", ".tif", ".tiff"):
            with quiet(), Image.open(path) as image:
                return image.height, image.width
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):  # who decodes it will say what is wrong
        return None
    return None
