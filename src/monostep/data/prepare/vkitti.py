"""Virtual KITTI 2: the official images and depths as they are, and normals made from the depth.

Source: Cabon et al., "Virtual KITTI 2" (2020); camera and coding as its authors state them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, UInt16

from monostep.data.manifest import Declaration, Row
from monostep.data.prepare import vkitti_frames
from monostep.data.prepare.job import Plan
from monostep.data.prepare.vkitti_frames import Frame
from monostep.errors import InputError, SettingError
from monostep.files import png16
from monostep.files.maps import write_normals
from monostep.geometry.d2nt import normals_from_depth

NormalsChoice = Literal["d2nt", "none"]
NORMALS = get_args(NormalsChoice)

# The published principal point (620.5, 187) is the middle of 1242 x 375 pixels whose centres are
# at integers; ours are at + 0.5.
INTRINSICS_PX = (725.0087, 725.0087, 621.0, 187.5)
_SIZE = (375, 1242)
_PER_M = 100  # depth codes are centimetres
_SKY = 65535
_MOST_M = 80.0
_ABOUT = {"kind": "normals", "frame": "opencv", "source": "D2NT v3 of the official depth"}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which frames, and whether normals are made."""

    selection: str = "paper"
    normals: NormalsChoice = "d2nt"
    split: str | None = None
    file_list: Path | None = None
    scenes: tuple[str, ...] = ()  # none: the selection's
    conditions: tuple[str, ...] = ()  # none: the selection's
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class VkittiJob:
    """One frame; see `job.Job`."""

    frame: Frame
    image: Path
    depth: Path
    normals: Path | None
    split: str

    @property
    def name(self) -> str:
        """Scene, condition, camera and number."""
        return self.frame.name

    @property
    def row(self) -> Row:
        """The official image and depth, and our normals."""
        return Row(
            image=self.image,
            depth=self.depth,
            normals=self.normals,
            intrinsics_px=INTRINSICS_PX,
            split=self.split,
            kind="outdoor",
        )

    def prepare(self) -> None:
        """Write the normals, if any; NaN where there is sky.

        Raises:
            InputError: image or depth is missing, or the depth is damaged or no official one.
            OutputError: the normals cannot be written.
        """
        for path in (self.image, self.depth):
            if not path.is_file():
                raise InputError(f"{path}: no such file; unpack the official tar file again")
        if self.normals is not None:
            write_normals(self.normals, normals(_codes(self.depth)), _ABOUT)


def normals(codes: UInt16[np.ndarray, "height width"]) -> Float[np.ndarray, "height width 3"]:
    """Return normals in the OpenCV frame of depth in centimetres; NaN where there is sky."""
    fx, fy, cx, cy = INTRINSICS_PX
    intrinsics = torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=torch.float64)
    depth_m = torch.from_numpy(codes.astype(np.float64) / _PER_M)
    surface = torch.from_numpy((codes > 0) & (codes < _SKY))
    found = normals_from_depth(depth_m, intrinsics, valid=surface).permute(1, 2, 0).numpy()
    known = (found != 0).any(axis=-1, keepdims=True)
    return np.ascontiguousarray(np.where(known, found, np.nan), dtype=np.float32)


def plan(root: Path, output: Path, choice: Choice) -> Plan:
    """Return the chosen frames.

    Raises:
        InputError: the folders or the list are missing or wrong.
        SettingError: a selection, scene, condition or split that does not exist.
    """
    root, output = root.absolute(), output.absolute()
    rgb, depth = (vkitti_frames.folder(root, kind) for kind in ("rgb", "depth"))
    frames, split = _frames(rgb, choice)
    place = None if choice.normals == "none" else output / "normals"
    return Plan(
        declaration=Declaration(
            name="vkitti2", unit="cm", frame="opencv", most_m=_MOST_M, sky=_SKY, fit="kitti-crop"
        ),
        settings={"dataset": "vkitti", "normals": choice.normals},
        jobs=[
            VkittiJob(
                frame=frame,
                image=frame.path(rgb, "rgb", "jpg"),
                depth=frame.path(depth, "depth", "png"),
                normals=None if place is None else frame.path(place, "normal", "png"),
                split=split[frame.scene],
            )
            for frame in frames[: choice.limit]
        ],
        notes=() if choice.file_list else vkitti_frames.shortfalls(frames),
    )


def _frames(rgb: Path, choice: Choice) -> tuple[list[Frame], dict[str, str]]:
    """The chosen frames, and the split of each scene."""
    selected = vkitti_frames.selection(choice.selection)
    if choice.file_list is not None and (choice.scenes or choice.conditions):
        raise SettingError("a list names its frames: leave scenes and conditions out")
    if choice.file_list is None:
        scenes = choice.scenes or selected.scenes
        frames = vkitti_frames.found(rgb, scenes, choice.conditions or selected.conditions)
    else:
        frames = vkitti_frames.listed(choice.file_list)
    split = {frame.scene: selected.split(frame.scene) for frame in frames}
    chosen = [frame for frame in frames if choice.split in (None, split[frame.scene])]
    if not chosen:
        raise SettingError(
            f"no frame of split {choice.split!r} in the selection {choice.selection}, which has "
            f"{', '.join(sorted(set(split.values())))}"
        )
    return chosen, split


def _codes(path: Path) -> UInt16[np.ndarray, "height width"]:
    try:
        pixels = png16.decode(path.read_bytes()).pixels
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if pixels.shape != (*_SIZE, 1):
        raise InputError(f"{path}: expected {[*_SIZE, 1]} codes, got {list(pixels.shape)}")
    return pixels[..., 0]
