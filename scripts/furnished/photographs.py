"""Photographs to hang on walls: those that come with scikit-image, in the public domain or CC0."""

from __future__ import annotations

from functools import cache

import numpy as np

_NAMES = (
    "astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field", "retina", "moon", "grass",
    "horse", "camera",
)  # fmt: skip


@cache
def load() -> list[np.ndarray]:
    """Pictures [height, width, 3] uint8; none where scikit-image is not installed."""
    try:
        from skimage import data
    except ImportError:
        return []
    found = []
    for name in _NAMES:
        try:
            picture = np.asarray(getattr(data, name)())
        except Exception:  # noqa: BLE001 - one that would have to be downloaded
            continue
        picture = picture.astype(np.uint8) * (255 if picture.dtype == bool else 1)
        grey = picture.ndim == 2
        found.append(np.repeat(picture[..., None], 3, 2) if grey else picture[..., :3])
    return found
