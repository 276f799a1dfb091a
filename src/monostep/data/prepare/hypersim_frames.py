"""Which frames of Hypersim there are: the official split table and lists of files."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monostep.data.prepare import file_list
from monostep.errors import InputError, SettingError

SPLITS = ("train", "val", "test")
_SCENE, _CAMERA = re.compile(r"ai_[0-9]+_[0-9]+"), re.compile(r"cam_[0-9]+")
_LISTED = re.compile(r"(ai_\d+_\d+)/rgb_(cam_\d+)_fr(\d+)\.png")


@dataclass(frozen=True, kw_only=True, order=True)
class Frame:
    """One image of the public release; ordered by scene, camera and number."""

    scene: str
    camera: str
    number: int
    split: str

    @property
    def name(self) -> str:
        """The frame in words: scene/camera/number."""
        return f"{self.scene}/{self.camera}/{self.number:04d}"


def released(table: Path) -> list[Frame]:
    """Return the public frames of metadata_images_split_scene_v1.csv, in order.

    Raises:
        InputError: the file is missing or not that table.
    """
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return sorted(_frame(row) for row in csv.DictReader(file) if _is_public(row))
    except OSError as error:
        raise InputError(
            f"{table}: cannot be read ({error.strerror}); name Hypersim's "
            "metadata_images_split_scene_v1.csv with --split-csv"
        ) from error
    except (LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{table}: not Hypersim's table of splits ({reason})") from error


def of_split(frames: Iterable[Frame], split: str | None) -> list[Frame]:
    """Return the frames of train, val or test; all for None (SettingError for another name)."""
    if split is not None and split not in SPLITS:
        raise SettingError(f"split {split!r}: Hypersim has {', '.join(SPLITS)}")
    return [frame for frame in frames if split in (None, frame.split)]


def listed(frames: Iterable[Frame], list_file: Path) -> list[Frame]:
    """Return those of `frames` that a list names: lines `SCENE/rgb_CAMERA_frNUMBER.png ...`.

    Raises:
        InputError: the list is missing, a line is another, or names a frame that is not public.
    """
    known = {(frame.scene, frame.camera, frame.number): frame for frame in frames}
    chosen = []
    for count, line in enumerate(file_list.lines(list_file), start=1):
        match = _LISTED.match(line)
        if match is None:
            raise InputError(
                f"{list_file}:{count}: expected SCENE/rgb_cam_NN_frNNNN.png, got {line[:60]!r}"
            )
        key = (match[1], match[2], int(match[3]))
        if key not in known:
            raise InputError(
                f"{list_file}:{count}: {line.split()[0]} is not in the public release; "
                "use a list made for it"
            )
        chosen.append(known[key])
    return sorted(set(chosen))


def of_scenes(frames: Iterable[Frame], scenes: Sequence[str]) -> list[Frame]:
    """Return the frames of some scenes; all for none (SettingError for one without frames)."""
    frames = list(frames)
    unknown = sorted(set(scenes) - {frame.scene for frame in frames})
    if unknown:
        raise SettingError(f"scene {unknown[0]!r}: no such scene among the chosen frames")
    return [frame for frame in frames if not scenes or frame.scene in scenes]


def present(frames: Sequence[Frame], root: Path) -> tuple[list[Frame], tuple[str, ...]]:
    """Return the frames whose scene lies in `root`, and a note on the others.

    Raises:
        InputError: there is none.
    """
    scenes = sorted({frame.scene for frame in frames})
    absent = {scene for scene in scenes if not (root / scene / "images").is_dir()}
    if len(absent) == len(scenes):
        raise InputError(
            f"{root}: none of {len(scenes)} scenes is there; expected folders such as "
            f"{scenes[0] if scenes else 'ai_001_001'}/images"
        )
    notes = ()
    if absent:
        notes = (f"{len(absent)} of {len(scenes)} scenes are not in {root}, first {min(absent)}",)
    return [frame for frame in frames if frame.scene not in absent], notes


def _is_public(row: dict[str, str]) -> bool:
    return row["included_in_public_release"] == "True"


def _frame(row: dict[str, str]) -> Frame:
    # They become folders and files, which must lie where they are expected.
    if not _SCENE.fullmatch(row["scene_name"]) or not _CAMERA.fullmatch(row["camera_name"]):
        got = f"{row['scene_name']!r}, {row['camera_name']!r}"
        raise ValueError(f"expected ai_NNN_NNN and cam_NN, got {got}")
    return Frame(
        scene=row["scene_name"],
        camera=row["camera_name"],
        number=int(row["frame_id"]),
        split=row["split_partition_name"],
    )
