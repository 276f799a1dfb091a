"""Miniature copies of official data sets, in their documented layouts."""

import csv
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from monostep.files import png16

HYPERSIM_SIZE = (768, 1024)
VKITTI_SIZE = (375, 1242)
SPLIT_COLUMNS = (
    "scene_name",
    "camera_name",
    "frame_id",
    "included_in_public_release",
    "exclude_reason",
    "split_partition_name",
)


def hdf5(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["dataset"] = values


def hypersim_frame(root: Path, scene="ai_001_001", camera="cam_00", number=0, **maps) -> None:
    """Write color, depth_meters, render_entity_id and normal_cam; a map that is None stays away."""
    images = root / scene / "images"
    plain = {
        "color": np.full((*HYPERSIM_SIZE, 3), 0.5, np.float16),
        "depth_meters": np.full(HYPERSIM_SIZE, 3.0, np.float16),
        "render_entity_id": np.ones(HYPERSIM_SIZE, np.int32),
        "normal_cam": np.tile(np.float16([0, 0, 1]), (*HYPERSIM_SIZE, 1)),
    }
    for kind, values in {**plain, **maps}.items():
        folder = "final_hdf5" if kind == "color" else "geometry_hdf5"
        if values is not None:
            hdf5(images / f"scene_{camera}_{folder}" / f"frame.{number:04d}.{kind}.hdf5", values)


def hypersim_splits(path: Path, rows) -> None:
    """Write the table of splits; rows of scene, camera, number, public and split."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(SPLIT_COLUMNS)
        table.writerows((*row[:3], str(row[3]), "", row[4]) for row in rows)


def hypersim_cameras(path: Path, matrices) -> None:
    """Write the camera parameters that matter: M_cam_from_uv by scene."""
    names = [f"M_cam_from_uv_{row}{column}" for row in range(3) for column in range(3)]
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["scene_name", *names])
        for scene, matrix in matrices.items():
            table.writerow([scene, *map(repr, np.asarray(matrix).ravel().tolist())])


def vkitti_frame(root: Path, scene, condition, camera=0, number=0, *, codes=None) -> None:
    """Write image and depth as the official tar files unpack; `codes` are centimetres."""
    stem = Path(scene, condition, "frames")
    rgb = root / "vkitti_2.0.3_rgb" / stem / f"rgb/Camera_{camera}/rgb_{number:05d}.jpg"
    depth = root / "vkitti_2.0.3_depth" / stem / f"depth/Camera_{camera}/depth_{number:05d}.png"
    for path in (rgb, depth):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", VKITTI_SIZE[::-1], (90, 120, 60)).save(rgb)
    flat = np.full(VKITTI_SIZE, 1000, np.uint16)
    depth.write_bytes(png16.encode(flat if codes is None else codes, {}))
