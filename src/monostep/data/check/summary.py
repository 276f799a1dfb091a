"""What the data of one manifest are, in a few numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from monostep.data.check.entries import Entry
from monostep.data.check.looked import Looked


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One manifest; depths in metres, unless they are relative."""

    name: str
    unit: str
    quantity: str
    images: int  # looked at
    read: int  # of which could be read
    splits: Mapping[str, int]
    sizes: Mapping[str, int]  # width x height of the pictures
    with_depth: int
    with_normals: int
    medians: tuple[float, float]  # least and greatest median depth of an image
    valid: tuple[float, float]  # least and greatest share of valid pixels

    def values(self) -> dict[str, Any]:
        """The summary as plain values for JSON."""
        return asdict(self) | {"medians": list(self.medians), "valid": list(self.valid)}


def summarise(entries: Sequence[Entry], looked: Mapping[str, Looked]) -> Summary:
    """The summary of the entries of one manifest."""
    declaration = entries[0].declaration
    seen = [looked[entry.name] for entry in entries if entry.name in looked]
    spreads = [each.spread for each in seen if each.spread is not None]
    return Summary(
        name=declaration.name,
        unit=declaration.unit,
        quantity=declaration.quantity,
        images=len(entries),
        read=len(seen),
        splits=dict(Counter(entry.row.split or "none" for entry in entries)),
        sizes=dict(Counter(f"{each.size[1]}x{each.size[0]}" for each in seen).most_common(8)),
        with_depth=sum(entry.row.depth is not None for entry in entries),
        with_normals=sum(entry.row.normals is not None for entry in entries),
        medians=_ends([each.median for each in spreads]),
        valid=_ends([each.valid_share for each in spreads]),
    )


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return (min(values), max(values)) if values else (0.0, 0.0)
