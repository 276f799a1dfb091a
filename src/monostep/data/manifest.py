"""Own data as a list of ordinary files: one declaration that all rows share, and the rows.

Three forms, read and written by modules of their own: `.jsonl`, `.csv`, and a folder of files
named alike. Paths in them are relative to the manifest (or to the folder), with forward slashes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, Literal, get_args

from monostep.data import manifest_csv, manifest_fields, manifest_folder, manifest_jsonl
from monostep.data.manifest_fields import Entry, choice, four, number, text
from monostep.data.manifest_paths import from_text, to_text
from monostep.data.samples import KINDS
from monostep.data.splits import NAMES
from monostep.errors import InputError, OutputError
from monostep.geometry.frames import Frame

VERSION = 1
_OF_FOLDER = ("manifest.jsonl", "manifest.csv")
Unit = Literal["m", "cm", "mm", "km", "relative"]
Quantity = Literal["depth", "distance", "disparity"]
Fit = Literal["resize", "kitti-crop"]


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What all rows of a manifest share.

    Depth becomes z-depth in metres. `relative` is known up to scale and shift: 0 is a value there
    like any other, and only a mask says what is invalid. A relative disparity is known up to
    scale: its inverse is the depth, and what is not above 0 is invalid.

    Raises:
        InputError: fields that contradict each other.
    """

    name: str
    unit: Unit = "m"
    quantity: Quantity = "depth"  # z-depth, length of the ray, or inverse depth
    baseline_px: float | None = None  # of a disparity: depth in metres = baseline_px / disparity
    frame: Frame = "opencv"  # of the normals
    least_m: float = 1e-5  # depths that are not between these two are invalid
    most_m: float = inf
    sky: float | None = None  # the stored value that means sky
    fit: Fit = "resize"  # to the run's size; or 352 x 1216 cut at the bottom centre, never scaled

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for wrong, advice in self._contradictions():
            if wrong:
                raise InputError(advice)

    def _contradictions(self) -> list[tuple[bool, str]]:
        relative, disparity = self.unit == "relative", self.quantity == "disparity"
        limits = (self.least_m, self.most_m) != (Declaration.least_m, Declaration.most_m)
        whole = bool(self.name) and self.name == self.name.strip() and self.name.isprintable()
        baseline = self.baseline_px
        return [
            (not whole, f"name {self.name!r}: expected one line of text"),
            (
                disparity and not relative and baseline is None,
                "a disparity has no metres: declare baseline_px (focal length in pixels times "
                "baseline in metres), or unit relative",
            ),
            (
                disparity and self.unit not in ("m", "relative"),
                f"a disparity with unit {self.unit}: leave the unit out, baseline_px gives metres",
            ),
            (
                baseline is not None and (relative or not disparity),
                "baseline_px belongs to a quantity disparity in pixels: leave it out",
            ),
            (
                baseline is not None and not 0 < baseline < inf,
                f"baseline_px {baseline}: expected a positive number",
            ),
            (
                relative and self.quantity == "distance",
                "a relative distance cannot become z-depth: declare its unit, or store z-depth",
            ),
            (relative and limits, "relative depth has no metres: leave least_m and most_m out"),
            (
                not 0 <= self.least_m < self.most_m,
                f"least_m {self.least_m}, most_m {self.most_m}: expected 0 <= least_m < most_m",
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class Row:
    """The files of one image: absolute paths here, relative to the manifest in its file."""

    image: Path
    depth: Path | None
    normals: Path | None = None
    mask: Path | None = None  # 0 where there is no truth
    confidence: Path | None = None
    # fx, fy, cx, cy of the upright image, pixel centres at integer + 0.5
    intrinsics_px: tuple[float, float, float, float] | None = None
    split: str | None = None  # train, validation (or val), test
    kind: str | None = None  # indoor, outdoor or object


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A declaration and its rows, in the order of the file."""

    path: Path
    declaration: Declaration
    rows: tuple[Row, ...]


def read(path: str | Path) -> Manifest:
    """Read a .jsonl, a .csv, or a folder; a folder's own manifest.jsonl or .csv goes first.

    Raises:
        InputError: it is missing, says what cannot be understood, or holds no row; with the line.
    """
    path = Path(path)
    written = [path / name for name in _OF_FOLDER]
    path = next((each for each in written if each.is_file()), path)
    folder = path if path.is_dir() else path.parent
    base = Path(os.path.realpath(folder))
    head, entries = _reader(path)(path)
    declaration = _declaration(head, default_name=_default_name(path, base))
    rows = tuple(_row(entry, base) for entry in entries)
    if not rows:
        raise InputError(f"{path}: no rows; expected one for each image")
    return Manifest(path=path, declaration=declaration, rows=rows)


def _default_name(path: Path, base: Path) -> str:
    """The file's name, or its folder's where every such file has the same."""
    return base.name if path.is_dir() or path.name in _OF_FOLDER else path.stem


def write(path: Path, declaration: Declaration, rows: Sequence[Row]) -> None:
    """Write a .jsonl or .csv, at once or not at all, its paths relative to it.

    Raises:
        OutputError: another ending, or the file cannot be written.
    """
    writers = {".jsonl": manifest_jsonl.write, ".csv": manifest_csv.write}
    if path.suffix.lower() not in writers:
        raise OutputError(f"{path}: manifests end in {' or '.join(writers)}; rename it")
    head = {"monostep_manifest": VERSION, **manifest_fields.plain(declaration, {})}
    as_text = partial(to_text, folder=path.parent)
    plain = [manifest_fields.plain(row, {Path: as_text}) for row in rows]
    writers[path.suffix.lower()](path, head, plain)


def _reader(path: Path) -> Any:
    if path.is_dir():
        return manifest_folder.read
    readers = {".jsonl": manifest_jsonl.read, ".csv": manifest_csv.read}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path}: expected a manifest in .jsonl or .csv, or a folder that exists")
    return readers[path.suffix.lower()]


_DECLARED = {
    "name": text,
    "unit": choice(*get_args(Unit)),
    "quantity": choice(*get_args(Quantity)),
    "baseline_px": number,
    "frame": choice(*get_args(Frame)),
    "least_m": number,
    "most_m": number,
    "sky": number,
    "fit": choice(*get_args(Fit)),
}


def _declaration(head: Entry, *, default_name: str) -> Declaration:
    values = dict(head.values)
    version = values.pop("monostep_manifest", VERSION)
    if str(version) != str(VERSION):
        place = head.place("monostep_manifest")
        raise InputError(f"{place}: manifest version {version!r}; this reads {VERSION}")
    known = manifest_fields.convert(replace(head, values=values), _DECLARED)
    try:
        return Declaration(**{"name": default_name, **known})
    except InputError as error:
        raise InputError(f"{head.where}: {error}") from error


def _row(entry: Entry, folder: Path) -> Row:
    place = partial(from_text, folder=folder)
    files = {name: place for name in ("image", "depth", "normals", "mask", "confidence")}
    others = {"intrinsics_px": four, "split": choice(*NAMES), "kind": choice(*KINDS)}
    known = manifest_fields.convert(entry, {**files, **others})
    if "image" not in known:
        raise InputError(f"{entry.where}: no image; every row names one")
    if "depth" not in known and "normals" not in known:
        raise InputError(f"{entry.where}: neither depth nor normals; name at least one")
    return Row(**{"depth": None, **known})
