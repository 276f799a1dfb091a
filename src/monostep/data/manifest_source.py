"""The rows of a manifest as a source of training images."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from monostep.data import frame_fit
from monostep.data.frame import Frame, load
from monostep.data.frame_geometry import can_have_normals
from monostep.data.manifest import Manifest, Row
from monostep.data.manifest_paths import to_text
from monostep.data.samples import KINDS, Samples
from monostep.errors import InputError


class ManifestSource:
    """Images by their index: decoded anew each time, so that workers share nothing.

    Without `normals` those of a row with depth are neither read nor derived, but 0.

    Raises:
        InputError: a split without rows.
    """

    def __init__(
        self, manifest: Manifest, split: str | None = None, *, normals: bool = True
    ) -> None:
        self.manifest = manifest
        self.normals = normals
        chosen = [k for k, row in enumerate(manifest.rows) if split in (None, row.split)]
        if not chosen:
            held = sorted({row.split for row in manifest.rows if row.split is not None})
            raise InputError(
                f"{manifest.path}: no rows of split {split!r}, only {', '.join(held) or 'unnamed'}"
            )
        self._chosen = tuple(chosen)

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self._chosen)

    def has_depth(self) -> bool:
        """Whether every image has depth; opens no file."""
        return all(self._row(index).depth is not None for index in range(self.count))

    def has_normals(self) -> bool:
        """Whether every image has normals, or what they are derived from; opens no file."""
        declaration = self.manifest.declaration
        return all(can_have_normals(self._row(k), declaration) for k in range(self.count))

    def name(self, index: int) -> str:
        """The manifest's name and the image's path relative to it."""
        path = self.manifest.path
        folder = path if path.is_dir() else path.parent
        return f"{self.manifest.declaration.name}/{to_text(self._row(index).image, folder=folder)}"

    def fetch(self, indices: Sequence[int], size: tuple[int, int]) -> Samples:
        """The images of these indices as one batch, at this (height, width).

        Under the fit `kitti-crop` they are 352 x 1216 whatever the size. Where the kind is not
        known it is indoor; where the camera is not, its matrix means nothing.

        Raises:
            InputError: a file cannot be read; with the row that names it.
        """
        return _stack([self._frame(index, size) for index in indices], self._kinds(indices))

    def _row(self, index: int) -> Row:
        return self.manifest.rows[self._chosen[index]]

    def _kinds(self, indices: Sequence[int]) -> list[int]:
        return [KINDS.index(self._row(index).kind or KINDS[0]) for index in indices]

    def _frame(self, index: int, size: tuple[int, int]) -> Frame:
        declaration = self.manifest.declaration
        try:
            frame = load(self._row(index), declaration, normals=self.normals)
            if declaration.unit == "relative":
                frame = replace(frame, depth_m=_unit_range(frame))
            if declaration.fit == "kitti-crop":
                return frame_fit.kitti_crop(frame)
            return frame_fit.resize(frame, size)
        except InputError as error:
            number = self._chosen[index] + 1
            name = Path(self.manifest.path).name
            raise InputError(f"{name}, row {number} ({self.name(index)}): {error}") from error


def _stack(frames: Sequence[Frame], kinds: Sequence[int]) -> Samples:
    graded = any(frame.confidence is not None for frame in frames)
    return Samples(
        image=torch.stack([frame.image for frame in frames]),
        depth_m=torch.stack([frame.depth_m for frame in frames]),
        normals=torch.stack([frame.normals for frame in frames]),
        valid=torch.stack([frame.valid for frame in frames]),
        sky=torch.stack([frame.sky for frame in frames]),
        intrinsics=torch.stack([_known(frame.intrinsics) for frame in frames]),
        kind=torch.tensor(kinds, dtype=torch.int64),
        confidence=torch.stack([_confidence(frame) for frame in frames]) if graded else None,
    )


def _unit_range(frame: Frame) -> torch.Tensor:
    """Depth between 0 and 1: where scale and shift mean nothing, one unit is as good as another."""
    if not frame.valid.any():
        return frame.depth_m
    counted = frame.depth_m[frame.valid]
    low, high = counted.min(), counted.max()
    span = torch.where(high > low, high - low, 1.0)
    return torch.where(frame.valid, (frame.depth_m - low) / span, 0.0)


def _known(intrinsics: torch.Tensor | None) -> torch.Tensor:
    return torch.eye(3) if intrinsics is None else intrinsics


def _confidence(frame: Frame) -> torch.Tensor:
    return torch.ones_like(frame.depth_m) if frame.confidence is None else frame.confidence
