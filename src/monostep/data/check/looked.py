"""All that is measured of one image, in one reading of its files."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from monostep.data.check import (
    disparity,
    facing,
    fingerprint,
    plateau,
    reduced,
    registration,
    sizes,
    spread,
)
from monostep.data.check.findings import Finding
from monostep.data.check.reduced import Reduced
from monostep.data.frame import load
from monostep.data.manifest import Declaration, Row
from monostep.errors import InputError
from monostep.geometry.frame_agreement import Agreement


@dataclass(frozen=True, kw_only=True, eq=False)
class Looked:
    """The numbers of one image; without depth most are None."""

    size: tuple[int, int]  # height, width
    contrast: float  # lightest minus darkest colour
    fingerprint: fingerprint.Fingerprint
    scale: float | None = None
    spread: spread.Spread | None = None
    votes: disparity.Votes | None = None
    plateaus: tuple[plateau.Plateau, ...] = ()
    overlap: registration.Overlap | None = None
    agreement: Agreement | None = None


def look(row: Row, declaration: Declaration, name: str) -> Looked | Finding:
    """The numbers of a row, or why it cannot be read (raises MissingExtraError)."""
    try:
        frame = load(_without_derived_normals(row, declaration), declaration)
        seen = fingerprint.of(row.image, frame.image)
    except InputError as error:
        return _unreadable(row, declaration, name, error)
    small = reduced.reduce(frame)
    height, width = frame.valid.shape
    looked = Looked(
        size=(height, width),
        contrast=float((small.image.amax(dim=(1, 2)) - small.image.amin(dim=(1, 2))).max()),
        fingerprint=seen,
    )
    return looked if row.depth is None else _with_depth(looked, small, row, declaration)


def _with_depth(looked: Looked, small: Reduced, row: Row, declaration: Declaration) -> Looked:
    relative = declaration.unit == "relative"
    stored = small.depth_m
    if declaration.quantity == "distance" and small.intrinsics is not None:
        stored = stored * _ray_lengths(small)  # one stored value is one value again
    alone = row.normals is None or relative  # relative depth has a shift, which bends planes
    return replace(
        looked,
        scale=sizes.scale(row, looked.size),
        spread=spread.measure(small.depth_m, small.valid),
        votes=disparity.measure(small.depth_m, small.valid),
        plateaus=plateau.measure(stored, small.valid),
        overlap=registration.measure(small.image, small.depth_m, small.valid, relative=relative),
        agreement=None
        if alone
        else facing.measure(small.normals, small.depth_m, small.valid, small.intrinsics),
    )


def _without_derived_normals(row: Row, declaration: Declaration) -> Row:
    """The row without its camera, unless that says more than normals that nobody stored."""
    needed = row.normals is not None or declaration.quantity == "distance"
    return row if needed else replace(row, intrinsics_px=None)


def _ray_lengths(small: Reduced) -> torch.Tensor:
    assert small.intrinsics is not None
    height, width = small.depth_m.shape
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)]).flatten(1)
    return torch.linalg.solve(small.intrinsics, pixels).norm(dim=0).reshape(height, width)


def _unreadable(row: Row, declaration: Declaration, name: str, error: InputError) -> Finding:
    misfit = sizes.misfit(row)
    return Finding(
        kind="size" if misfit else "unreadable",
        severity="error",
        manifest=declaration.name,
        images=(name,),
        message=f"{misfit}: expected the same aspect ratio" if misfit else str(error),
    )
