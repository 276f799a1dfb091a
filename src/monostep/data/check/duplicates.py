"""Pictures that are there twice: within what is trained on, or on both sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from monostep.data.check.findings import Finding, named
from monostep.data.check.fingerprint import Fingerprint

# Root mean square difference of 16 x 16 colours in [0, 255]. Of 135 pictures, the same one as JPEG
# of quality 50 or at three quarters of its size stayed below 3.1, and any other above 19.
ALIKE = 6.0
# The difference must also be small beside the picture's own contrast (the same were below 0.09,
# others above 0.44): two pictures in thick fog are not one.
ALIKE_OF_CONTRAST = 0.2
_BLOCK = 1024  # pictures compared with all others at once


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A picture and where it belongs."""

    name: str
    manifest: str
    split: str | None
    fingerprint: Fingerprint
    foreign: bool = False  # of a manifest that is only compared with

    @property
    def side(self) -> str:
        """What must not share pictures with anything else."""
        return self.manifest if self.split is None else f"{self.manifest}, split {self.split}"


def find(seen: Sequence[Seen]) -> list[Finding]:
    """Groups of equal pictures: a warning within a split, an error across splits or manifests."""
    findings = []
    for members in _groups(seen):
        sides = defaultdict(list)
        for each in members:
            sides[each.side].append(each)
        if len(sides) > 1 and not all(each.foreign for each in members):
            findings.append(_leakage(members, list(sides)))
        for side, inside in sides.items():
            if len(inside) > 1 and not inside[0].foreign:
                findings.append(_duplicate(inside, side))
    return findings


def _leakage(members: Sequence[Seen], sides: Sequence[str]) -> Finding:
    names = tuple(each.name for each in members)
    return Finding(
        kind="leakage",
        severity="error",
        manifest=next(each.manifest for each in members if not each.foreign),
        images=names,
        message=f"{_same(members)} in {' and in '.join(sides)}: {named(names)}; keep one side's",
        numbers={"difference": _difference(members)},
    )


def _duplicate(members: Sequence[Seen], side: str) -> Finding:
    names = tuple(each.name for each in members)
    return Finding(
        kind="duplicate",
        severity="warning",
        manifest=members[0].manifest,
        images=names,
        message=f"{_same(members)} {len(members)} times in {side}: {named(names)}; keep one",
        numbers={"difference": _difference(members)},
    )


def _same(members: Sequence[Seen]) -> str:
    exact = len({each.fingerprint.digest for each in members}) == 1
    return "the same file" if exact else "the same picture"


def _difference(members: Sequence[Seen]) -> float:
    """The largest difference from the first picture, in 8-bit codes."""
    first, *others = (_vector(each.fingerprint) for each in members)
    return max(float(np.sqrt(np.square(each - first).mean())) for each in others)


def _groups(seen: Sequence[Seen]) -> list[list[Seen]]:
    """Pictures linked by likeness, each group in order; single ones left out."""
    leader = list(range(len(seen)))

    def lead(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    for a, b in _pairs(seen):
        low, high = sorted((lead(a), lead(b)))
        leader[high] = low
    groups = defaultdict(list)
    for index, each in enumerate(seen):
        groups[lead(index)].append(each)
    return [members for members in groups.values() if len(members) > 1]


def _pairs(seen: Sequence[Seen]) -> Iterator[tuple[int, int]]:
    """Indices of pictures that are alike, or that are one file."""
    first_of: dict[bytes, int] = {}
    for index, each in enumerate(seen):
        first = first_of.setdefault(each.fingerprint.digest, index)
        if first != index:
            yield first, index
    if not seen:
        return
    vectors = np.stack([_vector(each.fingerprint) for each in seen])
    vectors = vectors - vectors.mean()  # smaller numbers: the differences below keep their digits
    squares = np.square(vectors).mean(axis=1)
    contrast = vectors.std(axis=1)
    for start in range(0, len(seen), _BLOCK):
        block = slice(start, start + _BLOCK)
        products = vectors[block] @ vectors.T / vectors.shape[1]
        apart = squares[block, None] + squares[None] - 2 * products
        limit = np.minimum(ALIKE, ALIKE_OF_CONTRAST * contrast[block, None])
        rows, columns = np.nonzero(apart <= np.square(limit))
        pairs = zip((rows + start).tolist(), columns.tolist(), strict=True)
        yield from ((a, b) for a, b in pairs if a < b)


def _vector(fingerprint: Fingerprint) -> Float[np.ndarray, " numbers"]:
    return fingerprint.colours.reshape(-1).astype(np.float32)
