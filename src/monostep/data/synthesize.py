"""Procedural scenes written as ordinary files, one set per scene.

000017.png            8-bit sRGB image
000017.depth.npy      float32 [H, W], z-depth in metres, 0 where there is no surface
000017.normals.npy    float32 [H, W, 3], unit, OpenCV frame, 0 where there is no surface
000017.valid.png      255 where there is a surface
000017.json           seed, index, kind, camera in pixels; says what the others are
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monostep.data.procedural import render
from monostep.data.samples import KINDS, Samples
from monostep.errors import InputError
from monostep.files.atomic import read_json, write_json
from monostep.files.maps import write_depth, write_normals
from monostep.files.preview import write_png8

AT_ONCE = 8


def synthesize(folder: Path, *, seed: int, indices: Sequence[int], size: tuple[int, int]) -> int:
    """Write the scenes that are not there yet; returns how many were written."""
    missing = [i for i in indices if not _complete(folder, seed, i, size)]
    for first in range(0, len(missing), AT_ONCE):
        chosen = missing[first : first + AT_ONCE]
        samples = render(seed, chosen, size)
        for row, index in enumerate(chosen):
            _write(folder / f"{index:06d}", samples, row, seed=seed, index=index)
    return len(missing)


def _write(stem: Path, samples: Samples, row: int, *, seed: int, index: int) -> None:
    about = _about(samples, row, seed=seed, index=index)
    image = (samples.image[row] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    write_png8(_beside(stem, "png"), np.ascontiguousarray(image))
    write_depth(_beside(stem, "depth.npy"), samples.depth_m[row].numpy(), about)
    normals = samples.normals[row].permute(1, 2, 0).contiguous().numpy()
    write_normals(_beside(stem, "normals.npy"), normals, about)
    mask = samples.valid[row].numpy().astype(np.uint8)[..., None].repeat(3, axis=2) * 255
    write_png8(_beside(stem, "valid.png"), mask)
    # Last: its presence says that the set is whole.
    write_json(_beside(stem, "json"), about)


def _about(samples: Samples, row: int, *, seed: int, index: int) -> dict[str, Any]:
    return {
        "source": "monostep procedural scenes",
        "seed": seed,
        "index": index,
        "size": list(samples.depth_m.shape[1:]),
        "kind": KINDS[int(samples.kind[row])],
        "intrinsics_px": samples.intrinsics[row].tolist(),
        "depth": {"quantity": "depth", "unit": "m", "axis": "z", "invalid": 0},
        "normals": {"frame": "opencv", "invalid": [0, 0, 0]},
    }


def _complete(folder: Path, seed: int, index: int, size: tuple[int, int]) -> bool:
    stem = folder / f"{index:06d}"
    endings = ("png", "depth.npy", "normals.npy", "valid.png", "json")
    if not all(_beside(stem, ending).is_file() for ending in endings):
        return False
    try:
        about = read_json(_beside(stem, "json"))
    except InputError:
        return False
    return about.get("seed") == seed and about.get("size") == list(size)


def _beside(stem: Path, ending: str) -> Path:
    return stem.with_name(f"{stem.name}.{ending}")
