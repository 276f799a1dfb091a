"""Hypersim's frames: tone-mapped image, depth in 16-bit millimetres, normals in 16 bits.

Source: Roberts et al., "Hypersim" (ICCV 2021); layout of apple/ml-hypersim.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Shaped

from monostep.data.manifest import Declaration, Row
from monostep.data.prepare import depth_codes, hdf5, hypersim_camera, hypersim_frames
from monostep.data.prepare.hypersim_camera import SceneCamera
from monostep.data.prepare.hypersim_frames import Frame
from monostep.data.prepare.job import Facts, Plan
from monostep.data.prepare.tone_map import tone_map
from monostep.errors import InputError
from monostep.files import photo, png16
from monostep.files.atomic import write_bytes
from monostep.files.decoded import full_scale
from monostep.files.maps import write_normals
from monostep.files.preview import write_png8

NormalsChoice = Literal["hdf5", "preview", "none"]
NORMALS = get_args(NormalsChoice)

_SIZE = (768, 1024)  # of every frame, rows and columns
_NO_SURFACE = -1  # entity of a pixel that shows nothing
_ABOUT = {"kind": "normals", "frame": "opencv", "source": "Hypersim normal_cam"}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which frames, and how they are prepared."""

    split_csv: Path
    camera_csv: Path | None  # None: the constant camera, whose depths are wrong for many scenes
    normals: NormalsChoice = "hdf5"
    split: str | None = None
    file_list: Path | None = None
    scenes: tuple[str, ...] = ()  # none: all
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class HypersimJob:
    """One frame; see `job.Job`."""

    frame: Frame
    camera: SceneCamera
    normals: NormalsChoice
    root: Path
    output: Path

    @property
    def name(self) -> str:
        """Scene, camera and number."""
        return self.frame.name

    @property
    def row(self) -> Row:
        """The three files, named as Marigold names them."""
        place = self.output / self.frame.scene
        ending = f"{self.frame.camera}_fr{self.frame.number:04d}.png"
        return Row(
            image=place / f"rgb_{ending}",
            depth=place / f"depth_plane_{ending}",
            normals=None if self.normals == "none" else place / f"normal_{ending}",
            intrinsics_px=self.camera.intrinsics_px(*_SIZE),
            split=self.frame.split,
            kind="indoor",
        )

    def prepare(self) -> Facts:
        """Write the files of `row`.

        Raises:
            InputError: an official file is missing, damaged, or of another size.
            OutputError: a file cannot be written.
            MissingExtraError: h5py is not installed.
        """
        row = self.row
        colour = self._read("final_hdf5", "color", (*_SIZE, 3))
        distance_m = self._read("geometry_hdf5", "depth_meters", _SIZE)
        valid = self._read("geometry_hdf5", "render_entity_id", _SIZE) != _NO_SURFACE
        codes = depth_codes.encode(np.where(valid, self.camera.depth(distance_m), 0.0))
        image = tone_map(colour, valid)
        normals = self._facing(valid)
        write_png8(row.image, image)
        if row.normals is not None and normals is not None:
            write_normals(row.normals, normals, _ABOUT)
        assert row.depth is not None
        write_bytes(row.depth, png16.encode(codes, {}))
        known = codes[codes > 0] / depth_codes.PER_M
        return Facts(
            invalid=1 - known.size / codes.size,
            least_m=float(known.min(initial=np.inf)) if known.size else 0.0,
            most_m=float(known.max(initial=0.0)),
            darkest=int(image.min()),
            brightest=int(image.max()),
        )

    def _facing(
        self, valid: Bool[np.ndarray, "height width"]
    ) -> Float[np.ndarray, "height width 3"] | None:
        """Normals in the depth's axes, towards the camera; NaN off the surface."""
        if self.normals == "none":
            return None
        if self.normals == "hdf5":
            raw = self._read("geometry_hdf5", "normal_cam", (*_SIZE, 3))
        else:
            raw = self._preview()
        facing = np.where(valid[..., None], self.camera.facing(raw), np.nan)
        return np.ascontiguousarray(facing, dtype=np.float32)

    def _preview(self) -> Float[np.ndarray, "height width 3"]:
        """The official picture of the normals, whose 8 bits are decoded here and once only."""
        path = self._place("geometry_preview", "normal_cam", "png")
        if not path.is_file():
            raise InputError(f"{path}: no such file; download it, or prepare with --normals none")
        pixels = _of_shape(photo.read(path).pixels, (*_SIZE, 3), path)
        return pixels * (2.0 / full_scale(pixels)) - 1

    def _read(self, folder: str, kind: str, shape: tuple[int, ...]) -> np.ndarray:
        path = self._place(folder, kind, "hdf5")
        return _of_shape(hdf5.read(path, shape), shape, path)

    def _place(self, folder: str, kind: str, ending: str) -> Path:
        images = self.root / self.frame.scene / "images"
        name = f"frame.{self.frame.number:04d}.{kind}.{ending}"
        return images / f"scene_{self.frame.camera}_{folder}" / name


def plan(root: Path, output: Path, choice: Choice) -> Plan:
    """Return the chosen frames of the scenes that lie in `root`.

    Raises:
        InputError: a table or list is missing or wrong, or no chosen scene is in `root`.
        SettingError: a split or scene that Hypersim does not have.
    """
    root, output = root.absolute(), output.absolute()
    frames = hypersim_frames.released(choice.split_csv)
    if choice.file_list is not None:
        frames = hypersim_frames.listed(frames, choice.file_list)
    frames = hypersim_frames.of_split(frames, choice.split)
    frames = hypersim_frames.of_scenes(frames, choice.scenes)
    present, notes = hypersim_frames.present(frames, root)
    cameras = None if choice.camera_csv is None else hypersim_camera.read(choice.camera_csv)
    return Plan(
        declaration=Declaration(name="hypersim", unit="mm", frame="opencv", most_m=65.0),
        settings={
            "dataset": "hypersim",
            "camera": _table(choice.camera_csv),
            "normals": choice.normals,
        },
        jobs=[
            HypersimJob(
                frame=frame,
                camera=_camera(cameras, frame.scene),
                normals=choice.normals,
                root=root,
                output=output,
            )
            for frame in present[: choice.limit]
        ],
        notes=notes,
    )


def _table(camera_csv: Path | None) -> str:
    """What the cameras come from: frames made with another table must not be mixed."""
    if camera_csv is None:
        return "constant"
    return f"official {sha256(camera_csv.read_bytes()).hexdigest()[:12]}"


def _camera(cameras: dict[str, SceneCamera] | None, scene: str) -> SceneCamera:
    if cameras is None:
        return hypersim_camera.constant()
    if scene not in cameras:
        raise InputError(f"the camera parameters have no scene {scene}; use the official table")
    return cameras[scene]


def _of_shape(
    values: Shaped[np.ndarray, "..."], shape: tuple[int, ...], path: Path
) -> Shaped[np.ndarray, "..."]:
    if values.shape != shape or values.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: expected numbers {list(shape)}, got {values.dtype} {list(values.shape)}"
        )
    return values
