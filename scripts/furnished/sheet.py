"""A sheet of pictures with their depth beside them, to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scripts.furnished.dataset import Frame


def write(path: Path, taken: list[Frame], columns: int = 6) -> None:
    """Write pictures in rows, each with its depth (near is bright) to the right."""
    cells = [np.concatenate([frame.image, _shown(frame.picture.depth_m)], 1) for frame in taken]
    blank = np.zeros_like(cells[0])
    cells += [blank] * (-len(cells) % columns)
    rows = [np.concatenate(cells[k : k + columns], 1) for k in range(0, len(cells), columns)]
    Image.fromarray(np.concatenate(rows, 0)).save(path)


def _shown(depth: np.ndarray) -> np.ndarray:
    inverse = 1 / np.maximum(depth, 0.2)
    low, high = np.percentile(inverse, (1, 99))
    grey = np.clip((inverse - low) / max(high - low, 1e-6), 0, 1) * 255
    return np.repeat(grey[..., None], 3, 2).astype(np.uint8)
