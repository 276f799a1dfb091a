"""Photographs with measured depth and normals, as the manifests that the model cards are made with.

    python -m scripts.real_frames DATA FOLDER

DATA holds, as their authors publish them, `hololens` (frames with depth in mm), `cleargrasp` (pairs
of opaque and transparent things at the same place, and a rendering) and `promptda_arkit` (depth
smaller than its image); Middlebury's motorcycle comes with scikit-image. Depth is rewritten in
metres, up to 10 m; of transparent things it is that of the opaque ones in their place. The images
stay where they are. Writes `real.jsonl`, ten frames, and `real-normals.jsonl`, three.
"""

import argparse
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from monostep.data import manifest
from monostep.data.manifest import Declaration, Row
from monostep.evaluation.sets import real
from monostep.files import maps

Frame = tuple[Path, np.ndarray]
MOST_M = 10.0


def write_depth(data: Path, folder: Path) -> Path:
    """Write the manifest of depth, and the depth maps."""
    (folder / "depth").mkdir(parents=True)
    rows = [
        Row(image=image, depth=_array(folder / "depth" / f"{image.stem}.npy", depth_m))
        for image, depth_m in _frames(data)
    ]
    path = folder / "real.jsonl"
    manifest.write(path, Declaration(name="real", most_m=MOST_M), rows)
    return path


def write_normals(data: Path, folder: Path) -> Path:
    """Write the manifest of ClearGrasp's pictures with their normals, which stay where they are."""
    grasp = data / "cleargrasp"
    pairs = [
        *(
            (f"{path.stem.removesuffix('-normals')}-opaque-rgb-img.jpg", path)
            for path in sorted((grasp / "real-val" / "d435").glob("*-normals.exr"))
        ),
        *(
            (f"../rgb-imgs/{path.stem.removesuffix('-cameraNormals')}-rgb.jpg", path)
            for path in sorted(grasp.glob("synthetic-val/*/camera-normals/*.exr"))
        ),
    ]
    rows = [Row(image=path.parent / name, depth=None, normals=path) for name, path in pairs]
    path = folder / "real-normals.jsonl"
    manifest.write(path, Declaration(name="real-normals", frame="opengl"), rows)
    return path


def _array(path: Path, depth_m: np.ndarray) -> Path:
    np.save(path, np.where(np.isfinite(depth_m), depth_m, 0).astype(np.float32))
    return path


def _frames(data: Path) -> Iterator[Frame]:
    for image in sorted((data / "hololens" / "images").iterdir()):
        yield image, _millimetres(data / "hololens" / "depth" / image.name)
    grasp = data / "cleargrasp"
    for depth in sorted((grasp / "real-val" / "d435").glob("*-opaque-depth-img.exr")):
        depth_m = maps.read_depth(depth)[0]
        for kind in ("opaque", "transparent"):
            name = depth.name.replace("opaque-depth-img.exr", f"{kind}-rgb-img.jpg")
            yield depth.with_name(name), depth_m
    for image in sorted(grasp.glob("synthetic-val/*/rgb-imgs/*-rgb.jpg")):
        depth = image.parents[1] / "depth-imgs-rectified" / f"{image.stem.removesuffix('-rgb')}"
        yield image, maps.read_depth(depth.with_name(f"{depth.name}-depth-rectified.exr"))[0]
    arkit = data / "promptda_arkit"
    yield arkit / "image.jpg", _millimetres(arkit / "arkit_depth.png")
    yield _motorcycle()


def _motorcycle() -> Frame:
    case = real.Motorcycle().load(0, image=False)
    spec = find_spec("skimage")
    assert spec is not None and spec.origin is not None
    depth_m = np.where(case.depth_valid.numpy(), case.depth_m.numpy(), 0)
    return Path(spec.origin).parent / "data" / "motorcycle_left.png", depth_m


def _millimetres(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(np.float32) / 1000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    print(write_depth(asked.data, asked.folder))  # noqa: T201
    print(write_normals(asked.data, asked.folder))  # noqa: T201
