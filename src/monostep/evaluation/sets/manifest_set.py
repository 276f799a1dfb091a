"""A user's own images with truth, from a manifest, as a benchmark."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from monostep.data import frame_fit, manifest
from monostep.data.frame import Frame
from monostep.data.frame import load as load_frame
from monostep.data.frame_geometry import can_have_normals
from monostep.data.manifest import Declaration, Row
from monostep.data.manifest_paths import to_text
from monostep.errors import InputError, SettingError
from monostep.evaluation.case import Case
from monostep.evaluation.rules import BY_IMAGE, DepthRules, Input, NormalsRules, Rules, Task

PROTOCOL = "monostep-1"


class ManifestSet:
    """The rows of one split, or all rows.

    Depth that is known only up to scale and shift has no relative error and is not judged.
    """

    beside_baselines = True  # no paper gives numbers to compare with

    def __init__(self, path: Path, *, split: str | None = None) -> None:
        """Read the manifest; its files are opened as they are needed.

        Raises:
            InputError: the manifest cannot be read, or names an image twice.
            SettingError: a split without rows, or no truth that can be judged.
        """
        self.manifest = manifest.read(path)
        self.split = split
        self.rows = tuple(row for row in self.manifest.rows if split in (None, row.split))
        if not self.rows:
            held = sorted({row.split for row in self.manifest.rows if row.split is not None})
            raise SettingError(
                f"{path}: no rows of split {split!r}, only {', '.join(held) or 'unnamed ones'}"
            )
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            raise InputError(f"{path}: {twice[0]} is named by two rows; keep one of them")
        if not self.rules:
            raise SettingError(
                f"{path}: depth known only up to scale and shift cannot be judged, since its "
                "relative errors depend on where its zero lies; declare a unit, or name normals"
            )

    @property
    def name(self) -> str:
        """What the manifest calls itself."""
        return self.declaration.name

    @property
    def declaration(self) -> Declaration:
        """What all rows share."""
        return self.manifest.declaration

    @property
    def scale_is_known(self) -> bool:
        """Whether the depth is in metres, not only up to scale."""
        return self.declaration.unit != "relative"

    @cached_property
    def rules(self) -> Mapping[Task, Rules]:
        """Depth within the declared limits with its edges, and normals, where rows have them."""
        rules: dict[Task, Rules] = {}
        said = self.declaration
        shown = Input(domain=BY_IMAGE if any(row.kind for row in self.rows) else None)
        if self._depth_can_be_judged and any(row.depth is not None for row in self.rows):
            near_m = max(said.least_m, DepthRules.near_m)
            rules["depth"] = DepthRules(
                protocol=PROTOCOL, input=shown, near_m=near_m, far_m=said.most_m, boundaries=True
            )
        if any(can_have_normals(row, said) for row in self.rows):
            rules["normals"] = NormalsRules(protocol=PROTOCOL, input=shown)
        return rules

    @cached_property
    def names(self) -> Sequence[str]:
        """The images' paths relative to the manifest."""
        return [to_text(row.image, folder=self._folder) for row in self.rows]

    def load(self, index: int, *, image: bool = True) -> Case:
        """One row, decoded; truth of another size is brought to the image's.

        Raises:
            InputError: a file cannot be read; with the row that names it.
        """
        row = self.rows[index]
        try:
            frame = load_frame(row, self.declaration, normals="normals" in self.rules)
            if self.declaration.fit == "kitti-crop":
                frame = frame_fit.kitti_crop(frame)
        except InputError as error:
            number = self.manifest.rows.index(row) + 1
            raise InputError(f"{self.manifest.path.name}, row {number}: {error}") from error
        return self._case(index, frame, image=image)

    def about(self) -> Mapping[str, Any]:
        """The declaration, the split, and the list with its hash."""
        values = asdict(self.declaration)
        limit = values["most_m"]
        values["most_m"] = limit if limit != float("inf") else None  # JSON knows no infinity
        return {
            "manifest": self.manifest.path.name,
            "declaration": values,
            "split": self.split,
            "images": len(self.rows),
            "list_sha256": hashlib.sha256(self._list().encode()).hexdigest(),
        }

    def state(self) -> str:
        """A hash that changes when a file of the rows changes: their sizes and times."""
        digest = hashlib.sha256()
        for row in self.rows:
            for path in _files(row):
                facts = path.stat() if path.is_file() else None
                times = None if facts is None else (facts.st_size, facts.st_mtime_ns)
                digest.update(f"{path}\0{times}\n".encode())
        return digest.hexdigest()

    @property
    def _folder(self) -> Path:
        path = self.manifest.path
        return path if path.is_dir() else path.parent

    @property
    def _depth_can_be_judged(self) -> bool:
        return self.declaration.unit != "relative" or self.declaration.quantity == "disparity"

    def _case(self, index: int, frame: Frame, *, image: bool) -> Case:
        row, trusted = self.rows[index], frame.valid
        if frame.confidence is not None:
            trusted = trusted & (frame.confidence > 0)
        has_depth = row.depth is not None and "depth" in self.rules
        return Case(
            name=self.names[index],
            stratum=row.kind or "all",
            domain=row.kind,  # pyright: ignore[reportArgumentType] - checked where it was read
            image=frame.image if image else None,
            depth_m=frame.depth_m if has_depth else None,
            depth_valid=trusted if has_depth else None,
            normals=frame.normals if frame.has_normals else None,
            normals_valid=trusted & frame.normals.any(dim=0) if frame.has_normals else None,
        )

    def _list(self) -> str:
        """Image and truth of every row, relative to the manifest, a line each, sorted."""
        folder = self._folder
        lines = [
            " ".join(to_text(path, folder=folder) for path in _files(row)) for row in self.rows
        ]
        return "\n".join(sorted(lines))


def _files(row: Row) -> list[Path]:
    paths = (row.image, row.depth, row.normals, row.mask, row.confidence)
    return [path for path in paths if path is not None]
