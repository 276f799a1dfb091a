"""Which subjects are compared with which."""

from collections.abc import Mapping
from dataclasses import dataclass

from monostep.benchmark.subjects import DIFFUSERS, EXACT, OURS, PEAK, Subject

DEFAULTS = "default against default"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two subjects by name, and what their ratio is called."""

    name: str
    ours: str
    other: str


def pairs(subjects: Mapping[str, Subject], default: str) -> list[Pair]:
    """Everyone against ours in the same precision, and both programs as they come."""
    found = []
    for name, other in subjects.items():
        ours = Subject(kind=OURS, dtype=other.dtype, compiled=other.compiled).name
        if other.kind not in (OURS, PEAK) and ours in subjects:
            alike = f"equal precision, {other.dtype}{' compiled' * other.compiled}"
            found.append(Pair(name=alike, ours=ours, other=name))
    theirs = Subject(kind=DIFFUSERS, dtype=EXACT).name
    if default in subjects and theirs in subjects:
        found.append(Pair(name=DEFAULTS, ours=default, other=theirs))
    return found
