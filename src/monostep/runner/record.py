"""The record of an image: the JSON file that says what its results are and what made them.

It is written last and removed first, so that its presence means that the files it lists are whole.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from monostep._version import __version__
from monostep.errors import InputError, OutputError
from monostep.files.atomic import write_json
from monostep.files.metadata import from_json

# Key and beginning of the entry by which our files are known; sorted, it is the first one.
_GENERATOR, _MARK = "generator", "monostep "


@dataclass(frozen=True, kw_only=True)
class Input:
    """The image as it was read: sizes in pixels, `changes` in the words of the front door."""

    name: str
    bytes: int
    mtime_ns: int
    sha256: str
    width: int
    height: int
    focal_px: float | None
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a result: what it holds, and its size by which damage is noticed."""

    kind: str  # "depth", "depth preview", ...
    bytes: int

    def is_whole(self, path: Path) -> bool:
        """Tell whether the file is there with this size."""
        try:
            return path.stat().st_size == self.bytes
        except OSError:
            return False


@dataclass(frozen=True, kw_only=True)
class Map:
    """A task's result: what its values are, what decided them, and its files by name."""

    about: Mapping[str, Any]
    made_by: Mapping[str, Any]
    files: Mapping[str, File]


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything known about one image, and its maps by task."""

    input: Input
    maps: Mapping[str, Map]


def write(path: Path, record: Record) -> None:
    """Write the record as JSON at once or not at all (raises OutputError)."""
    write_json(path, {_GENERATOR: _MARK + __version__, **asdict(record)})


def read(path: Path, *, overwrite: bool) -> Record | None:
    """The record in a file, or None when there is none or it is damaged.

    Raises:
        OutputError: the file is another program's, and `overwrite` is false.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(f"{path}: cannot be read ({error.strerror})") from error
    if data and f'"{_GENERATOR}": "{_MARK}'.encode() not in data and not overwrite:
        raise OutputError(
            f"{path}: exists and is not from monostep; choose another output folder, or "
            "--overwrite to lose it"
        )
    try:
        return _parse(from_json(data, where=str(path)))
    except (InputError, LookupError, TypeError, ValueError, AttributeError):
        return None


def is_same_input(known: Input, source: Path) -> bool:
    """Tell whether a file is still what was read; its content is only read when times differ."""
    try:
        now = source.stat()
        if now.st_size != known.bytes:
            return False
        return now.st_mtime_ns == known.mtime_ns or sha256(source) == known.sha256
    except OSError:
        return False


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, as hexadecimal digits (raises OSError)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse(values: dict[str, Any]) -> Record:
    known = {item.name: values["input"][item.name] for item in fields(Input)}
    return Record(
        input=Input(**{**known, "changes": tuple(known["changes"])}),
        maps={task: _parse_map(entry) for task, entry in values["maps"].items()},
    )


def _parse_map(entry: dict[str, Any]) -> Map:
    files = {
        name: File(kind=file["kind"], bytes=file["bytes"]) for name, file in entry["files"].items()
    }
    return Map(about=dict(entry["about"]), made_by=dict(entry["made_by"]), files=files)
