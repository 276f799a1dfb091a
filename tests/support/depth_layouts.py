"""Small depth benchmarks with the names, sizes and codes of the official ones, as tree or tar."""

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

TARS = {
    "nyuv2": "nyuv2/nyu_labeled_extracted.tar",
    "kitti": "kitti/kitti_eigen_split_test.tar",
    "eth3d": "eth3d/eth3d.tar",
    "scannet": "scannet/scannet_val_sampled_800_1.tar",
    "diode": "diode/diode_val.tar",
}
SIZES = {
    "nyuv2": (480, 640),
    "kitti": (375, 1242),
    "eth3d": (24, 36),
    "scannet": (36, 48),
    "diode": (24, 32),
}
_SCENES = ("kitchen_0004", "home_office_0002", "study_0001")
_DRIVES = ("0002", "0009", "0013")
_DIODE = ("indoors", "outdoor", "outdoor")


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A sample as it was written."""

    image: str
    depth: str
    mask: str | None
    colours: np.ndarray  # uint8 [height, width, 3]; a .jpg stores them nearly
    depth_m: np.ndarray  # float64 [height, width]; 0, or inf for eth3d, where there is none
    mask_values: np.ndarray | None


def write(data: Path, name: str, *, images: int = 3, packed: bool = False) -> list[Planted]:
    """Write a benchmark below the folder of all benchmarks, sorted by image.

    NYUv2 comes with a training image and KITTI with one that has no truth, as the official ones do.
    """
    root = data / TARS[name].removesuffix(".tar") if packed else data / name
    planted = [_plant(root, name, index) for index in range(images)]
    if name == "nyuv2":
        _save(root / "train/office_0003/rgb_0003.png", planted[0].colours)
        _save(root / "train/office_0003/depth_0003.png", _codes(planted[0].depth_m, 1000))
    if name == "kitti":
        folder = "2011_09_26/2011_09_26_drive_0002_sync/image_02/data"
        _save(root / folder / "0000000099.png", planted[0].colours)
    if packed:
        with tarfile.open(data / TARS[name], "w") as tar:
            tar.add(root, arcname=".")
        shutil.rmtree(root)
    return sorted(planted, key=lambda one: one.image)


def names(benchmark: str, index: int) -> tuple[str, str, str | None]:
    """Image, depth and mask of the index-th sample; any index gives another."""
    frame, turn = index + 1, index % 3
    if benchmark == "nyuv2":
        folder = f"test/{_SCENES[turn]}"
        return f"{folder}/rgb_{frame:04d}.png", f"{folder}/depth_{frame:04d}.png", None
    if benchmark == "kitti":
        drive = f"2011_09_26_drive_{_DRIVES[turn]}_sync"
        image = f"2011_09_26/{drive}/image_02/data/{frame:010d}.png"
        return image, f"{drive}/proj_depth/groundtruth/image_02/{frame:010d}.png", None
    if benchmark == "eth3d":
        scene, file = ("office", "relief_2", "facade")[turn], f"DSC_{frame:04d}.JPG"
        depth = f"depth/{scene}_dslr_depth/{scene}/ground_truth_depth/dslr_images/{file}"
        return f"rgb/{scene}/images/dslr_images/{file}", depth, None
    if benchmark == "scannet":
        scene = f"scene{400 + turn:04d}_02"
        return f"{scene}/color/{frame:06d}.jpg", f"{scene}/depth/{frame:06d}.png", None
    kind = _DIODE[turn]
    stem = f"{kind}/scene_00021/scan_00189/00021_00189_{kind}_{frame:03d}_010"
    return f"{stem}.png", f"{stem}_depth.npy", f"{stem}_depth_mask.npy"


def _plant(root: Path, benchmark: str, index: int) -> Planted:
    image, depth, mask = names(benchmark, index)
    random = np.random.default_rng(index)
    colours, depth_m = _scene(random, SIZES[benchmark], far_m=12 if index else 90)
    planted = Planted(
        image=image,
        depth=depth,
        mask=mask,
        colours=colours,
        depth_m=depth_m if benchmark != "eth3d" else np.where(depth_m > 0, depth_m, np.inf),
        mask_values=None if mask is None else (depth_m > 0) & (random.random(depth_m.shape) < 0.9),
    )
    _save(root / image, colours)
    _store(root, benchmark, planted)
    return planted


def _scene(random: np.random.Generator, size: tuple[int, int], far_m: float) -> tuple:
    """A slope with a step and holes, from half a metre, and smooth colours."""
    rows, columns = np.indices(size)
    depth_m = 0.5 + (far_m - 0.5) * rows[::-1] / size[0] + (columns > size[1] // 2)
    depth_m[random.random(size) < 0.05] = 0
    colours = np.stack([255 * rows / size[0], 255 * columns / size[1], 0 * rows], axis=2)
    return colours.astype(np.uint8), depth_m


def _store(root: Path, benchmark: str, planted: Planted) -> None:
    path = root / planted.depth
    path.parent.mkdir(parents=True, exist_ok=True)
    if benchmark in ("nyuv2", "scannet"):
        _save(path, _codes(planted.depth_m, 1000))
    elif benchmark == "kitti":
        _save(path, _codes(planted.depth_m, 256))
    elif benchmark == "eth3d":
        path.write_bytes(planted.depth_m.astype("<f4").tobytes())
    elif planted.mask is not None and planted.mask_values is not None:
        np.save(path, planted.depth_m.astype(np.float32)[..., None])
        np.save(root / planted.mask, planted.mask_values.astype(np.float64))


def _codes(depth_m: np.ndarray, per_m: int) -> np.ndarray:
    return np.rint(np.minimum(depth_m * per_m, 65535)).astype(np.uint16)


def _save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {"compress_level": 1} if path.suffix == ".png" else {"quality": 95, "subsampling": 0}
    Image.fromarray(values).save(path, **settings)
