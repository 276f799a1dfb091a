"""Own data of ordinary files with defects planted, for what must find them.

A change takes a depth map in which 0 means no depth, and returns what is stored instead.
"""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from monostep.data import manifest


def copy_of(source, folder):
    """A folder of own data, copied, without masks: what is above 0 counts."""
    shutil.copytree(source, folder)
    data = manifest.read(folder)
    rows = tuple(dataclasses.replace(row, mask=None) for row in data.rows)
    return dataclasses.replace(data, rows=rows)


def depth_only(data):
    """The same rows with nothing but pictures and depth."""
    bare = {"normals": None, "mask": None, "intrinsics_px": None}
    rows = tuple(dataclasses.replace(row, **bare) for row in data.rows)
    return dataclasses.replace(data, rows=rows)


def change_depth(row, change):
    """Rewrite the depth of a row."""
    np.save(row.depth, change(np.load(row.depth)).astype(np.float32))


def change_normals(row, change):
    """Rewrite the normals of a row."""
    np.save(row.normals, change(np.load(row.normals)).astype(np.float32))


def in_millimetres(depth):
    return depth * 1000


def inverted(depth):
    return np.where(depth > 0, 1 / np.where(depth > 0, depth, 1), 0)


def inverted_to_codes(depth):
    """Disparity from 0 to 10, as files for people to look at hold it."""
    valid = depth > 0
    disparity = inverted(depth)
    least, most = disparity[valid].min(), disparity[valid].max()
    return np.where(valid, (disparity - least) / (most - least) * 10 + 1e-3, 0)


def with_holes(value):
    """A block in the middle whose depth is not known."""

    def change(depth):
        height, width = depth.shape
        changed = depth.copy()
        block = slice(height // 2, height * 5 // 8), slice(width // 3, width // 2)
        changed[block] = np.where(depth[block] > 0, value, 0)
        return changed

    return change


def with_sky(value):
    """One value where there is no surface, or along the top where everything is one."""

    def change(depth):
        sky = depth == 0
        if sky.mean() < 0.05:
            sky[: len(sky) // 4] = True
        return np.where(sky, value, depth)

    return change


def moved(down, right):
    return lambda depth: np.roll(depth, (down, right), (0, 1))


def constant(depth):
    return np.where(depth > 0, 2.5, 0)


def store_again(row, name, *, quality=70, share=0.75):
    """The row's picture once more, as a JPEG and smaller; its path."""
    path = row.image.with_name(name)
    with Image.open(row.image) as image:
        size = (round(image.width * share), round(image.height * share))
        image.resize(size, Image.Resampling.BICUBIC).save(path, quality=quality)
    return path


def cut_short(path: Path):
    path.write_bytes(path.read_bytes()[:200])
