"""Manifests as JSON lines: the declaration first, then one row on each line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monostep.data.manifest_fields import Entry
from monostep.errors import InputError
from monostep.files.atomic import write_bytes
from monostep.files.metadata import from_json, to_json


def read(path: Path) -> tuple[Entry, list[Entry]]:
    """The declaration and the rows as they are written.

    Raises:
        InputError: missing, not JSON, or without the declaration on its first line.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    entries = [
        Entry(where=where, values=from_json(line, where=where))
        for where, line in ((f"{path}, line {n}", line) for n, line in enumerate(lines, 1))
        if line.strip()
    ]
    if not entries or "monostep_manifest" not in entries[0].values:
        raise InputError(
            f'{path}, line 1: expected the declaration, as {{"monostep_manifest": 1, "unit": "m"}}'
        )
    return entries[0], entries[1:]


def write(path: Path, head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the declaration and the rows (raises OutputError)."""
    write_bytes(path, "".join(to_json(each) + "\n" for each in (head, *rows)).encode())
