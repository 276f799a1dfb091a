"""The furniture catalogues: what each archive holds, in metres, with author and licence."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LISTING = "PluginFurnitureCatalog.properties"
_FIELD = re.compile(r"(\w+)#(\d+)\s*=\s*(.*)")
_GENERAL = re.compile(r"(license|name)\s*=\s*(.*)")
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One model of a catalogue."""

    archive: Path
    model: str  # path in the archive
    name: str
    category: str
    size: tuple[float, float, float]  # width, height, depth in metres
    elevation: float  # of its lower side above the floor, in metres
    rotation: tuple[float, ...]  # of the model, 3 x 3 by rows, before it is sized
    creator: str
    licence: str

    @property
    def key(self) -> str:
        """A file name of its own."""
        return f"{self.archive.stem}.{Path(self.model).stem}"


def items(folder: Path) -> list[Item]:
    """All models of the archives in `folder`, in a fixed order."""
    return [item for path in sorted(folder.glob("*.sh3f")) for item in read(path)]


def read(path: Path) -> list[Item]:
    """The models of one archive, in the order of its listing."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(LISTING).decode("latin-1")
    licence = dict(_matches(_GENERAL, text)).get("license", "see the archive")
    rows: dict[int, dict[str, str]] = {}
    for match in filter(None, map(_FIELD.match, text.splitlines())):
        rows.setdefault(int(match[2]), {})[match[1]] = match[3].strip()
    return [_item(path, row, licence) for _, row in sorted(rows.items()) if "model" in row]


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    return ((m[1], m[2].strip()) for m in filter(None, map(pattern.match, text.splitlines())))


def _item(path: Path, row: dict[str, str], licence: str) -> Item:
    width, depth, height = (float(row[name]) / 100 for name in ("width", "depth", "height"))
    return Item(
        archive=path,
        model=row["model"].lstrip("/"),
        name=row["name"],
        category=row.get("category", ""),
        size=(width, height, depth),
        elevation=float(row.get("elevation") or 0) / 100,
        rotation=_rotation(row.get("modelRotation", "")),
        creator=row.get("creator", "unknown"),
        licence=row.get("license") or licence,
    )


def _rotation(text: str) -> tuple[float, ...]:
    values = tuple(float(each) for each in text.split())
    return values if len(values) == 9 else _IDENTITY
