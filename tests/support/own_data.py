"""Small files as a user of own data has them."""

from pathlib import Path

import numpy as np
from PIL import Image

from monostep.data.manifest import Declaration, Manifest, Row

REAL = Path(__file__).parents[3] / "shared" / "data" / "rgbd"


def picture(path, size=(6, 8), seed=0):
    """An 8-bit RGB picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def array(path, values):
    """A .npy of float32."""
    np.save(path, np.asarray(values, np.float32))
    return path


def grey16(path, values):
    """A plain 16-bit grey PNG."""
    Image.fromarray(np.asarray(values, np.uint16)).save(path)
    return path


def plane(size=(6, 8), depth=2.0, slope=0.1):
    """Depths that grow from row to row."""
    return depth + slope * np.arange(size[0], dtype=np.float32)[:, None] * np.ones(size, np.float32)


def row(folder, depth=None, size=(6, 8), name="a", **others):
    """An image and its depth in metres as a row."""
    depth = plane(size) if depth is None else depth
    return Row(
        image=picture(folder / f"{name}.png", size),
        depth=array(folder / f"{name}.depth.npy", depth),
        **others,
    )


def manifest(folder, *rows, **declared):
    """Rows of a folder as a manifest that is nowhere written."""
    declaration = Declaration(**{"name": "own", **declared})
    return Manifest(path=folder / "own.jsonl", declaration=declaration, rows=rows)
