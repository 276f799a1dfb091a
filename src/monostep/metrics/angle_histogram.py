"""The median of any number of angles, in constant memory and within a proven bound."""

import math
import os
import zipfile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from monostep.errors import InputError
from monostep.files.atomic import replacing

LEAST_DEG = 2.0**-10  # angles below share one bin
_OCTAVES = 18  # from LEAST_DEG up to 256 degrees
_DROPPED = 4  # last bits of a float32 that a bin does not tell apart
_PER_OCTAVE = 1 << (23 - _DROPPED)
_FIRST = (127 - 10) * _PER_OCTAVE  # the bits of LEAST_DEG, without the dropped ones
_BINS = 1 + _OCTAVES * _PER_OCTAVE
BYTES = 8 * _BINS
_FORMAT = "monostep angle histogram 1"
_UNREADABLE = (
    *(OSError, ValueError, TypeError, EOFError, LookupError, RuntimeError, MemoryError),
    zipfile.BadZipFile,
)


class AngleHistogram:
    """Counts of angles in degrees, in bins so fine that the median is right within 1e-6 of itself.

    A bin holds the 16 float32 numbers that differ in their last 4 bits only. Its value is the
    middle of these, at most 7.5 of 2^23 parts of the octave's lower end from each of them, so the
    relative error is below 7.5 * 2^-23 = 8.95e-7. Angles below 2^-10 degrees count as 0.

    The counts are exact integers (`BYTES` = 75.5 MB, whatever is counted): the order of images and
    the number of processes that counted them change nothing. A pickle or file of it holds only the
    bins that are not empty.
    """

    def __init__(self) -> None:
        self._counts = torch.zeros(_BINS, dtype=torch.int64)

    @property
    def count(self) -> int:
        """How many angles were added."""
        return int(self._counts.sum())

    def add(self, angle_deg: Float[Tensor, " pixel"]) -> None:
        """Count angles, as float32.

        Raises:
            InputError: one is not in 0 to 180 degrees; then none is counted.
        """
        for part in angle_deg.split(1 << 20):
            if not bool(((part >= 0) & (part <= 180)).all()):  # false for nan too
                raise InputError(
                    f"angles from {float(part.min()):.4g} to {float(part.max()):.4g} degrees: "
                    "expected 0 to 180; leave out pixels without truth or prediction"
                )
        for part in angle_deg.split(1 << 20):
            places = _places(part)
            self._counts.index_add_(0, places, torch.ones_like(places))

    def median_deg(self) -> float:
        """The median, between the two middle angles of an even number; nan of none."""
        count = self.count
        if count == 0:
            return math.nan
        return (self._ranked((count - 1) // 2) + self._ranked(count // 2)) / 2

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an .npz file at once or not at all (raises OutputError)."""
        places, counts = self._filled()
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, format=_FORMAT, places=places.numpy(), counts=counts.numpy())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "AngleHistogram":
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing, damaged or something else.
        """
        histogram = cls()
        try:
            # Opened here: numpy does not close what it cannot read.
            with Path(path).open("rb") as handle, np.load(handle, allow_pickle=False) as file:
                if str(file["format"]) != _FORMAT:
                    raise InputError(f"{path}: not a histogram of angles; remove the file")
                histogram._fill(torch.from_numpy(file["places"]), torch.from_numpy(file["counts"]))
        except InputError:
            raise
        except _UNREADABLE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(
                f"{path}: not a readable histogram of angles ({reason}); remove the file"
            ) from error
        return histogram

    def __getstate__(self) -> tuple[Tensor, Tensor]:
        return self._filled()

    def __setstate__(self, state: tuple[Tensor, Tensor]) -> None:
        self.__init__()
        self._fill(*state)

    def _filled(self) -> tuple[Int[Tensor, " filled"], Int[Tensor, " filled"]]:
        places = self._counts.nonzero()[:, 0]
        return places.int(), self._counts[places]

    def _fill(self, places: Int[Tensor, " filled"], counts: Int[Tensor, " filled"]) -> None:
        if bool(((places < 0) | (places >= _BINS)).any()):
            raise ValueError("bins that do not exist")
        self._counts[places.long()] = counts

    def _ranked(self, rank: int) -> float:
        """The angle that has so many smaller ones before it."""
        rank -= int(self._counts[0])
        if rank < 0:
            return 0.0
        octaves = self._counts[1:].view(_OCTAVES, _PER_OCTAVE)
        ends = octaves.sum(dim=1).cumsum(dim=0)
        octave = int((ends <= rank).sum())
        rank -= int(ends[octave - 1]) if octave else 0
        step = int((octaves[octave].cumsum(dim=0) <= rank).sum())
        return _middle_deg(octave, step)


def _middle_deg(octave: int, step: int) -> float:
    """The middle of the 16 numbers in a bin, of which the last lies short of the next bin."""
    return LEAST_DEG * 2.0**octave * (1 + (step + (1 - 2.0**-_DROPPED) / 2) / _PER_OCTAVE)


def _places(angle_deg: Float[Tensor, " pixel"]) -> Int[Tensor, " pixel"]:
    bits = angle_deg.float().cpu().contiguous().view(torch.int32)
    return (bits.bitwise_right_shift(_DROPPED) - _FIRST + 1).clamp_min(0).long()
