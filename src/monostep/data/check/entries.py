"""The rows to look at, each under a name that no other has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from monostep.data.manifest import Declaration, Manifest, Row
from monostep.data.manifest_paths import to_text


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row, what it declares, and its name."""

    name: str  # the manifest's name and the image's path relative to it
    row: Row
    declaration: Declaration


def entries(manifests: Sequence[Manifest], limit: int | None = None) -> list[Entry]:
    """The rows of all manifests, in order; with a limit so many of each, evenly spread."""
    found: list[Entry] = []
    taken: Counter[str] = Counter()
    for manifest in manifests:
        folder = manifest.path if manifest.path.is_dir() else manifest.path.parent
        for number in _spread(len(manifest.rows), limit):
            row = manifest.rows[number]
            name = f"{manifest.declaration.name}/{to_text(row.image, folder=folder)}"
            taken[name] += 1
            again = f" (row {number + 1})" if taken[name] > 1 else ""
            found.append(Entry(name=name + again, row=row, declaration=manifest.declaration))
    return found


def _spread(count: int, limit: int | None) -> list[int]:
    if limit is None or limit >= count:
        return list(range(count))
    return [k * count // limit for k in range(limit)]
