"""Small copies of the published normals benchmarks, in their official layout."""

import pickle
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image

from monostep.files import png16

SIZE = (12, 17)
STEMS = {
    "nyuv2": ("test/000000", "test/000001", "test/000008"),
    "scannet": ("scene0532_00/000000", "scene0220_02/000450"),
    "ibims": ("ibims/corridor_01", "ibims/lab_11"),
    "sintel": ("alley_1/frame_0001", "alley_1/frame_0002", "market_6/frame_0040"),
    "vkitti": ("Scene01/000000", "Scene20/000199"),
    "oasis": ("val/100277_DT", "val/7_DT"),
}
ENDING = {"vkitti": ".jpg"}
TRUTH = {"ibims": ".exr", "sintel": ".exr", "oasis": ".pkl"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Written:
    """What was written of one image: its name below the set, codes, normals (LUB) and mask."""

    name: str
    codes: np.ndarray  # [H, W, 3], 8 bits
    lub: np.ndarray  # [H, W, 3] as decoded, 0 where there is none
    valid: np.ndarray


def write_set(root: Path, name: str, *, size=SIZE) -> list[Written]:
    """Write `root/name` with images, normals and intrinsics; sorted by name."""
    rng = np.random.default_rng(sum(map(ord, name)))
    return [_write(root / name, name, stem, rng, size) for stem in sorted(STEMS[name])]


def packed(root: Path, tar: Path) -> Path:
    """A tar of what is below `root`, members addressed as the published ones are: with "./"."""
    with tarfile.open(tar, "w") as archive:
        archive.add(root, arcname=".")
    return tar


def facing(rng, size) -> np.ndarray:
    """Unit normals towards the camera (LUB: z > 0) in float64."""
    vectors = rng.normal(size=(*size, 3))
    vectors[..., 2] = np.abs(vectors[..., 2]) + 0.1
    return vectors / np.linalg.norm(vectors, axis=2, keepdims=True)


def write_exr(path: Path, vectors: np.ndarray) -> None:
    """Write x, y, z as red, green, blue, as OpenCV's users do."""
    planes = {c: np.ascontiguousarray(vectors[..., i]) for i, c in enumerate("RGB")}
    OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, planes).write(str(path))


def _write(folder: Path, name: str, stem: str, rng, size) -> Written:
    image = folder / f"{stem}_img{ENDING.get(name, '.png')}"
    truth = folder / f"{stem}_normal{TRUTH.get(name, '.png')}"
    image.parent.mkdir(parents=True, exist_ok=True)
    codes = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(codes).save(image)
    stored = np.asarray(Image.open(image))  # JPEG loses some
    np.save(folder / f"{stem}_intrins.npy", np.eye(3))
    valid = rng.random(size) > 0.2
    lub = facing(rng, size)
    decoded = _WRITERS.get(name, _eight_bits)(truth, lub, valid)
    where = str(image.relative_to(folder))
    return Written(
        name=where, codes=stored, lub=np.where(valid[..., None], decoded, 0), valid=valid
    )


def _eight_bits(path: Path, lub: np.ndarray, valid: np.ndarray) -> np.ndarray:
    codes = np.where(valid[..., None], np.rint((lub + 1) / 2 * 255), 0).astype(np.uint8)
    Image.fromarray(codes).save(path)
    return codes / 255 * 2 - 1


def _sixteen_bits(path: Path, lub: np.ndarray, valid: np.ndarray) -> np.ndarray:
    codes = np.where(valid[..., None], np.rint((lub + 1) / 2 * 65535), 0).astype(np.uint16)
    path.write_bytes(png16.encode(codes, {}))
    return codes / 65535 * 2 - 1


def _floats(path: Path, lub: np.ndarray, valid: np.ndarray) -> np.ndarray:
    vectors = np.where(valid[..., None], lub, 0.2 * lub).astype(np.float32)  # 0.2: no direction
    write_exr(path, vectors)
    return vectors


def _box(path: Path, lub: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """OASIS: right, down, back, in a box of the image; `valid` is cut to the box."""
    top, left = 2, 3
    bottom, right = lub.shape[0] - 2, lub.shape[1] - 4
    inside = np.zeros_like(valid)
    inside[top : bottom + 1, left : right + 1] = True
    valid &= inside
    stored = np.where(valid[..., None], lub * (-1, -1, 1), 0)
    content = {"min_y": top, "max_y": bottom, "min_x": left, "max_x": right}
    normal = stored[top : bottom + 1, left : right + 1].copy()
    path.write_bytes(pickle.dumps(content | {"normal": normal}))
    return lub


_WRITERS = {
    "vkitti": _sixteen_bits,
    "ibims": _floats,
    "sintel": _floats,
    "oasis": _box,
}
