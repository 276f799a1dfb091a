"""A folder as a manifest: files with one stem belong together, also in folders below.

NAME.jpg (png, tiff, webp, ...)                the image
NAME.depth.npy (npz, exr, tiff, png)           its depth
NAME.normals.npy                               its normals
NAME.mask.png or NAME.valid.png                0 where there is no truth
NAME.confidence.png                            how far it is to be trusted
NAME.json                                      `intrinsics_px`, `kind`, `split`; unit and frame

What all rows share stands in `manifest.json`. Without it the .json beside each image says unit,
quantity and frame, as `monostep data synthesize` writes them: all of them or none, and the same.
Depth without either is in metres, and integers, which hardly are, are refused. Where a map is
there in several formats, the most exact one is read.
"""

import re
import warnings
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from monostep.data.manifest_fields import Entry
from monostep.errors import InputError, MonostepWarning
from monostep.files.atomic import read_json
from monostep.files.decoded import DECODE_ERRORS, quiet

DECLARATION = "manifest.json"
IMAGES = frozenset(
    [
        ".avif",
        ".bmp",
        ".heic",
        ".heif",
        ".jpeg",
        ".jpg",
        ".ppm",
        ".png",
        ".tga",
        ".tif",
        ".tiff",
        ".webp",
    ]
)
MAPS = ("npy", "npz", "exr", "tiff", "tif", "png")  # the most exact first
_MAP = re.compile(
    rf"(?P<stem>.+)\.(?P<role>depth|normals|mask|valid|confidence)\.(?P<ending>{'|'.join(MAPS)})",
    re.IGNORECASE,
)
_OF = {"unit": "depth", "quantity": "depth", "frame": "normals"}  # what a key is about
_RESULT = re.compile(r".+\.(uncertainty\..+|preview\.png)", re.IGNORECASE)  # of `predict`


@dataclass
class _Group:
    """The files of one stem."""

    images: list[Path] = field(default_factory=list)
    maps: dict[str, dict[str, Path]] = field(default_factory=lambda: defaultdict(dict))


def read(folder: Path) -> tuple[Entry, list[Entry]]:
    """The declaration and the rows of a folder, by name.

    Raises:
        InputError: a map without its image, two files for one thing, or a unit that is not known.
    """
    groups = _groups(folder)
    rows = [_Set(folder, stem, group) for stem, group in groups.items() if group.maps]
    bare = [group.images[0].name for group in groups.values() if not group.maps]
    if bare and rows:
        warnings.warn(
            f"{folder}: {len(bare)} image(s) without depth or normals are left out, as {bare[0]}",
            MonostepWarning,
            stacklevel=3,
        )
    stated = folder / DECLARATION
    if stated.is_file():
        head = Entry(where=str(stated), values=read_json(stated))
        _refuse_contradictions(rows, head)
    else:
        head = Entry(where=str(folder), values=_agreed(rows, folder))
    return head, [row.entry() for row in rows]


def _groups(folder: Path) -> dict[str, _Group]:
    groups: dict[str, _Group] = defaultdict(_Group)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) or _RESULT.fullmatch(path.name):
            continue
        if match := _MAP.fullmatch(path.name):
            stem = name.with_name(match["stem"]).as_posix()
            groups[stem].maps[match["role"].lower()][match["ending"].lower()] = path
        elif path.suffix.lower() in IMAGES:
            groups[name.with_suffix("").as_posix()].images.append(path)
    return groups


class _Set:
    """The files of one image, and what the .json among them says."""

    def __init__(self, folder: Path, stem: str, group: _Group) -> None:
        self.folder, self.stem = folder, stem
        self.where = str(folder / stem)
        self.maps = {role: _most_exact(files) for role, files in group.maps.items()}
        self.image = self._only("image", group.images)
        beside = folder / f"{stem}.json"
        self.about = read_json(beside) if beside.is_file() else {}

    def entry(self) -> Entry:
        """The row that the files make."""
        masks = [self.maps[role] for role in ("mask", "valid") if role in self.maps]
        files = {role: path for role, path in self.maps.items() if role not in ("mask", "valid")}
        if masks:
            files["mask"] = self._only("mask", masks)
        named = {
            role: path.relative_to(self.folder).as_posix()
            for role, path in {"image": self.image, **files}.items()
        }
        told = {name: self.about[name] for name in ("kind", "split") if name in self.about}
        return Entry(
            where=self.where,
            values={**named, **told, "intrinsics_px": _four(self.about.get("intrinsics_px"))},
        )

    def declared(self) -> dict[str, Any]:
        """What the .json says of the maps' meaning."""
        depth, normals = self.about.get("depth"), self.about.get("normals")
        told: dict[str, Any] = {}
        if "depth" in self.maps and isinstance(depth, Mapping):
            told |= {key: depth[key] for key in ("unit", "quantity") if key in depth}
        if "normals" in self.maps and isinstance(normals, Mapping) and "frame" in normals:
            told["frame"] = normals["frame"]
        return told

    @property
    def depth_ending(self) -> str | None:
        """The format of its depth, if there is one."""
        return self.maps["depth"].suffix.lower() if "depth" in self.maps else None

    def refuse_integers(self) -> None:
        """Refuse depth that is hardly in metres (raises InputError)."""
        depth = self.maps.get("depth")
        if depth is not None and _holds_integers(depth):
            raise InputError(
                f"{depth}: the unit of its integers is not declared; "
                f'write {DECLARATION} with for instance {{"unit": "mm"}}'
            )

    def _only(self, what: str, paths: list[Path]) -> Path:
        if len(paths) != 1:
            got = " and ".join(path.name for path in paths) or "none"
            raise InputError(f"{self.where}: expected one {what}, got {got}")
        return paths[0]


def _most_exact(files: Mapping[str, Path]) -> Path:
    return files[min(files, key=MAPS.index)]


def _holds_integers(path: Path) -> bool:
    """Whether a depth map stores integers, by its head; what cannot be read is told elsewhere."""
    ending = path.suffix.lower()
    try:
        if ending == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False).dtype.kind in "iu"
        if ending == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return file["depth"].dtype.kind in "iu"
        if ending in (".tif", ".tiff"):
            with quiet(), Image.open(path) as image:
                return image.mode not in ("F", "1")
    except (*DECODE_ERRORS, BadZipFile, Image.DecompressionBombError):
        return False
    return ending == ".png"


def _agreed(rows: list[_Set], folder: Path) -> dict[str, Any]:
    """What the files beside the images declare, if they all agree."""
    told = [row.declared() for row in rows]
    undeclared = [row for row, each in zip(rows, told, strict=True) if "unit" not in each]
    for row in {row.depth_ending: row for row in reversed(undeclared)}.values():  # one of each
        row.refuse_integers()
    agreed = {key: value for each in told for key, value in each.items()}
    for row, each in zip(rows, told, strict=True):
        for key in agreed:
            if (_OF[key] in row.maps or key in each) and each.get(key) != agreed[key]:
                raise InputError(
                    f"{row.where}: {key} {each.get(key, 'not declared')}, elsewhere {agreed[key]}; "
                    f"one folder has one {key}: split it, or correct the .json files or "
                    f"{folder / DECLARATION}"
                )
    return agreed


def _refuse_contradictions(rows: list[_Set], head: Entry) -> None:
    """Refuse a .json beside an image that says another thing than the folder's declaration."""
    for row in rows:
        for key, value in row.declared().items():
            if head.values.get(key, value) != value:
                raise InputError(
                    f"{row.where}.json: {key} {value!r}, but {head.where} says "
                    f"{head.values[key]!r}; correct one of them"
                )


def _four(camera: Any) -> Any:
    """A 3 x 3 camera matrix as fx, fy, cx, cy; anything else as it is."""
    if not (
        isinstance(camera, list) and [len(r) for r in camera if isinstance(r, list)] == [3] * 3
    ):
        return camera
    return [camera[0][0], camera[1][1], camera[0][2], camera[1][2]]
