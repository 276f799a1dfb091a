"""A manifest of photographs with measured depth: those that lie beside the checkout, and one more.

ClearGrasp's opaque pictures and rendering, HoloLens, ARKit (whose depth is smaller than its
image), and Middlebury's motorcycle, which scikit-image ships. All depth is rewritten in metres.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from own_data import REAL
from PIL import Image

from monostep.data import manifest
from monostep.data.manifest import Declaration, Row
from monostep.evaluation.sets import real
from monostep.files import maps

GRASP = REAL / "cleargrasp"


def write(folder):
    """Write the manifest and its depth maps; the images stay where they are."""
    (folder / "depth").mkdir(parents=True)
    rows = [
        Row(image=image, depth=_array(folder / "depth" / f"{image.stem}.npy", depth_m))
        for image, depth_m in _frames()
    ]
    path = folder / "real.jsonl"
    manifest.write(path, Declaration(name="real"), rows)
    return path


def write_normals(folder):
    """Write the manifest of ClearGrasp's pictures with their normals, which stay where they are."""
    folder.mkdir(parents=True)
    pairs = [
        *((f"{path.stem.removesuffix('-normals')}-opaque-rgb-img.jpg", path)
          for path in sorted((GRASP / "real-val" / "d435").glob("*-normals.exr"))),
        *((f"../rgb-imgs/{path.stem.removesuffix('-cameraNormals')}-rgb.jpg", path)
          for path in sorted(GRASP.glob("synthetic-val/*/camera-normals/*.exr"))),
    ]  # fmt: skip
    rows = [Row(image=path.parent / name, depth=None, normals=path) for name, path in pairs]
    path = folder / "real-normals.jsonl"
    manifest.write(path, Declaration(name="real-normals", frame="opengl"), rows)
    return path


def _array(path, depth_m):
    np.save(path, np.where(np.isfinite(depth_m), depth_m, 0).astype(np.float32))
    return path


def _frames():
    for image in sorted((REAL / "hololens" / "images").iterdir()):
        yield image, _millimetres(REAL / "hololens" / "depth" / image.name)
    for image in sorted((GRASP / "real-val" / "d435").glob("*-opaque-rgb-img.jpg")):
        depth = image.with_name(image.name.replace("-rgb-img.jpg", "-depth-img.exr"))
        yield image, maps.read_depth(depth)[0]
    for image in sorted(GRASP.glob("synthetic-val/*/rgb-imgs/*-rgb.jpg")):
        depth = image.parents[1] / "depth-imgs-rectified" / f"{image.stem.removesuffix('-rgb')}"
        yield image, maps.read_depth(depth.with_name(f"{depth.name}-depth-rectified.exr"))[0]
    arkit = REAL / "promptda_arkit"
    yield arkit / "image.jpg", _millimetres(arkit / "arkit_depth.png")
    yield _motorcycle()


def _motorcycle():
    case = real.Motorcycle().load(0, image=False)
    spec = find_spec("skimage")
    assert spec is not None and spec.origin is not None
    depth_m = np.where(case.depth_valid.numpy(), case.depth_m.numpy(), 0)
    return Path(spec.origin).parent / "data" / "motorcycle_left.png", depth_m


def _millimetres(path):
    return np.asarray(Image.open(path)).astype(np.float32) / 1000
