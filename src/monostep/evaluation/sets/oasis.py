"""OASIS's true normals: those of a box in the image, with the box's place."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.errors import InputError
from monostep.files import pickled
from monostep.files.in_memory import File
from monostep.files.pickled import Value

_BOX = ("min_y", "max_y", "min_x", "max_x")  # the last row and column belong to it


@dataclass(frozen=True, kw_only=True)
class Box:
    """Normals of a part of an image, as they are stored: in the frame that we call directx."""

    top: int  # row of the image in which the box begins
    left: int
    normals: Float[np.ndarray, "height width 3"]

    def on(
        self, size: tuple[int, int]
    ) -> tuple[Float[Tensor, "3 height width"], Bool[Tensor, "height width"]]:
        """The normals on an image of `size`, 0 where none are known; and where they are known.

        Raises:
            InputError: the box does not lie in the image.
        """
        height, width = self.normals.shape[:2]
        rows, columns = slice(self.top, self.top + height), slice(self.left, self.left + width)
        if rows.stop > size[0] or columns.stop > size[1]:
            raise InputError(
                f"rows up to {rows.stop - 1} and columns up to {columns.stop - 1} of an image of "
                f"{size[0]} x {size[1]}: do image and normals belong together?"
            )
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            vectors = self.normals.astype(np.float32)
        known = (vectors != 0).any(axis=2) & np.isfinite(vectors).all(axis=2)
        vectors = np.where(known[..., None], vectors, np.float32(0))
        normals, valid = torch.zeros(3, *size), torch.zeros(size, dtype=torch.bool)
        normals[:, rows, columns] = torch.from_numpy(vectors).permute(2, 0, 1)
        valid[rows, columns] = torch.from_numpy(known)
        return normals, valid


def read(file: File) -> Box:
    """The pickled dictionary min_y, max_y, min_x, max_x, normal; no code in it is run.

    Raises:
        InputError: it is damaged, asks for anything but arrays, or does not hold these five.
    """
    content = pickled.read(file)
    if missing := {*_BOX, "normal"} - content.keys():
        raise InputError(f"{file}: no {', '.join(sorted(missing))}; expected OASIS's dictionary")
    top, bottom, left, right = (_integer(content[name], f"{file}: {name}") for name in _BOX)
    normals = np.asarray(content["normal"])
    expected = (bottom - top + 1, right - left + 1, 3)
    if min(top, left, *expected) < 0 or normals.shape != expected or normals.dtype.kind != "f":
        raise InputError(
            f"{file}: rows {top} to {bottom} and columns {left} to {right} want float normals of "
            f"{list(expected)}, got {normals.dtype} {list(normals.shape)}"
        )
    return Box(top=top, left=left, normals=normals)


def _integer(value: Value, where: str) -> int:
    number = np.asarray(value)
    if number.shape != () or number.dtype.kind not in "iu":
        raise InputError(f"{where}: expected an integer, got {number.dtype} {list(number.shape)}")
    return int(number)
