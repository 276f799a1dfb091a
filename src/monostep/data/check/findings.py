"""One thing that is wrong with the data, and by which numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal[
    "unreadable",
    "size",
    "constant",
    "unit",
    "disparity",
    "invalid",
    "sky",
    "registration",
    "normals",
    "duplicate",
    "leakage",
]
Severity = Literal["error", "warning"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_NAMED = 3  # images that a line of text names


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A defect of one image or of several together."""

    kind: Kind
    severity: Severity  # an error spoils training; a warning may be meant
    manifest: str  # its declaration's name
    images: tuple[str, ...]
    message: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """The finding as plain values for JSON."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "manifest": self.manifest,
            "images": list(self.images),
            "message": self.message,
            "numbers": {name: float(f"{value:.6g}") for name, value in self.numbers.items()},
        }


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by kind and image."""
    return tuple(
        sorted(
            findings,
            key=lambda each: (
                each.severity != "error",
                KINDS.index(each.kind),
                each.manifest,
                each.images,
            ),
        )
    )


def named(images: Sequence[str]) -> str:
    """The first images, and how many more there are."""
    more = len(images) - _NAMED
    return ", ".join(images[:_NAMED]) + (f" and {more} more" if more > 0 else "")
