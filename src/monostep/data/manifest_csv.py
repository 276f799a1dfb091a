"""Manifests as a table: lines `# key: value` that declare, a header, and one row for each image.

    # unit: mm
    image,depth,fx,fy,cx,cy
    photos/1.jpg,depth/1.png,525,525,320,240

Comma-separated, UTF-8; empty cells say nothing.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from monostep.data.manifest_fields import Entry
from monostep.errors import InputError, OutputError
from monostep.files.atomic import write_bytes

CAMERA = ("fx", "fy", "cx", "cy")  # together: intrinsics_px
# Names of files need not be UTF-8 everywhere; the bytes of one that is not are kept.
_ENCODING: Mapping[str, Any] = {"encoding": "utf-8-sig", "errors": "surrogateescape"}


def read(path: Path) -> tuple[Entry, list[Entry]]:
    """The declaration and the rows as they are written.

    Raises:
        InputError: missing, no table, or a row that does not fit its header.
    """
    try:
        text = path.read_bytes().decode(**_ENCODING)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    lines = list(io.StringIO(text, newline=""))  # str.splitlines knows more ends than a table does
    before = next((n for n, line in enumerate(lines) if not _declares(line)), len(lines))
    head = _declared(lines[:before], path)
    table = list(_cells(lines[before:], path, before))
    if not table:
        raise InputError(f"{path}: no header; expected a line as image,depth")
    (where, header), *rows = table
    if len(set(header)) < len(header):
        raise InputError(f"{where}: a column is named twice in {','.join(header)}")
    return head, [_entry(where, header, row) for where, row in rows]


def write(path: Path, head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the declaration and the rows, with the columns that say something.

    Raises:
        OutputError: a value that a table cannot hold, or the file cannot be written.
    """
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row)) or ["image"]
    out = io.StringIO(newline="")
    out.writelines(f"# {name}: {value}\n" for name, value in head.items())
    table = csv.DictWriter(out, columns, lineterminator="\n")
    table.writeheader()
    for row in flat:
        for name, value in row.items():
            if isinstance(value, str) and (value != value.strip() or set(value) & {"\n", "\r"}):
                raise OutputError(f"{path}: {name} {value!r} does not fit a table; use .jsonl")
        table.writerow(row)
    write_bytes(path, out.getvalue().encode("utf-8", "surrogateescape"))


def _declares(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _declared(lines: Sequence[str], path: Path) -> Entry:
    values: dict[str, str] = {}
    places: dict[str, int] = {}
    for n, line in enumerate(lines, 1):
        key, colon, value = (part.strip() for part in line.strip().lstrip("#").partition(":"))
        if not line.strip():
            continue
        if not colon or key in values:
            wrong = f"{key} a second time" if colon else repr(line.strip())
            raise InputError(f"{path}, line {n}: expected '# key: value', got {wrong}")
        values[key], places[key] = value, n
    return Entry(where=str(path), values=values, lines=places)


def _cells(lines: Sequence[str], path: Path, before: int) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(lines, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield f"{path}, line {before + reader.line_num}", [cell.strip() for cell in cells]
    except csv.Error as error:
        raise InputError(f"{path}, line {before + reader.line_num}: {error}") from error


def _entry(where: str, header: list[str], cells: list[str]) -> Entry:
    if len(cells) != len(header):
        raise InputError(f"{where}: {len(cells)} cells under {len(header)} columns")
    values: dict[str, Any] = dict(zip(header, cells, strict=True))
    camera = {name: values.pop(name) for name in CAMERA if name in values}
    if any(camera.values()):
        missing = [name for name in CAMERA if not camera.get(name)]
        if missing:
            raise InputError(f"{where}: no {', '.join(missing)}; a camera is {', '.join(CAMERA)}")
        values["intrinsics_px"] = [camera[name] for name in CAMERA]
    return Entry(where=where, values=values)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(row)
    camera = values.pop("intrinsics_px", None)
    return values if camera is None else {**values, **dict(zip(CAMERA, camera, strict=True))}
