"""The numbers of a prediction's file, in the layouts that programs write."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from zipfile import BadZipFile, ZipFile

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data import stored_maps
from monostep.errors import InputError, SettingError
from monostep.evaluation.rules import Task
from monostep.evaluation.sets.depth_layouts import CROP_SIZE
from monostep.files import maps
from monostep.files.map_layout import DEPTH, NORMALS, Layout, from_reading
from monostep.files.map_numpy import read_npy, read_npz

Size: TypeAlias = tuple[int, int]  # height, width
ValueRange: TypeAlias = Literal["-1..1", "0..1"]
"""0..1: a component c is stored as (c + 1) / 2, as Lotus does; a PNG's codes always are."""

_ARRAYS = (".npy", ".npz")
_MOST = 1.05  # what a component may reach, rounded and resampled


def check_range(name: str, task: Task) -> ValueRange:
    """The value range of that name (SettingError for another, or for depth, which has none)."""
    if name not in get_args(ValueRange) or (task == "depth" and name != "-1..1"):
        raise SettingError(
            f"value range {name!r} of predicted {task}: components of normals have "
            f"{' or '.join(get_args(ValueRange))}, depth has none"
        )
    return name  # pyright: ignore[reportReturnType]


def read_depth(
    path: Path, size: Size | None
) -> tuple[Float[Tensor, "height width"], Mapping[str, Any]]:
    """Values, and what the file says of itself; [1, H, W] and [H, W, 1] are understood.

    Without a size any is taken. Values may be nan or infinite: only where they are judged does it
    matter.

    Raises:
        InputError: missing, damaged or of another size.
        MissingExtraError: the format needs an extra package.
    """
    if path.suffix.lower() in _ARRAYS:
        stored, about = _array(path, DEPTH)
        stored = _without_units(stored, size)
        values = torch.from_numpy(from_reading(stored, DEPTH, str(path)))
    else:
        values, about = stored_maps.read_depth(path)
    _check_size(path, (values.shape[0], values.shape[1]), size)
    return values, about


def read_normals(
    path: Path, size: Size | None, *, value_range: ValueRange = "-1..1"
) -> tuple[Float[Tensor, "3 height width"], Mapping[str, Any]]:
    """Vectors in the file's own frame, and what it says; [3, H, W] is understood.

    A PNG gives 0 where its code is no direction. Without a size any is taken. Values may be nan or
    infinite, as of depth.

    Raises:
        InputError: missing, damaged, of another size, or in another value range.
        MissingExtraError: the format needs an extra package.
    """
    values, about = normals_as_stored(path, size)
    if path.suffix.lower() == ".png":
        return values, about
    return _in_range(path, values, value_range), about


def normals_as_stored(
    path: Path, size: Size | None
) -> tuple[Float[Tensor, "3 height width"], Mapping[str, Any]]:
    """What `read_normals` reads, whatever its numbers (raises as that does)."""
    ending = path.suffix.lower()
    if ending == ".png":
        values, about = stored_maps.read_normals(path)
    else:
        stored, about = _array(path, NORMALS) if ending in _ARRAYS else _opened(path)
        stored = from_reading(_channels_last(stored, size), NORMALS, str(path))
        values = torch.from_numpy(stored).permute(2, 0, 1)
    _check_size(path, (values.shape[1], values.shape[2]), size)
    return values, about


def is_coded(values: Float[Tensor, "3 height width"]) -> bool:
    """Whether vectors are stored as (c + 1) / 2: none below 0, and decoded nearer to length 1.

    Pixels that have no direction in one of the two readings do not count.
    """
    if float(values.min()) < 0:
        return False
    as_stored, decoded = values.norm(dim=0), (2 * values - 1).norm(dim=0)
    counts = (as_stored > stored_maps.SHORTEST) & (decoded > stored_maps.SHORTEST)
    off = [(length[counts] - 1).abs().sum() for length in (as_stored, decoded)]
    return bool(off[1] < off[0])


def _in_range(
    path: Path, values: Float[Tensor, "3 height width"], value_range: ValueRange
) -> Float[Tensor, "3 height width"]:
    known = values[:, values.isfinite().all(dim=0)]
    if known.numel() == 0:
        return values
    least, most = float(known.min()), float(known.max())
    lowest = 1 - _MOST if value_range == "0..1" else -_MOST
    if least < lowest or most > _MOST:
        raise InputError(
            f"{path}: normals with components from {least:.4g} to {most:.4g}; "
            f"expected {value_range}"
        )
    if value_range == "0..1":
        return 2 * values - 1
    if is_coded(known[..., None]):
        raise InputError(
            f"{path}: normals with components from {least:.4g} to {most:.4g} look like codes of "
            "0..1 for -1..1; if so, declare --value-range 0..1"
        )
    return values


def _opened(path: Path) -> tuple[np.ndarray, Mapping[str, Any]]:
    values, about = maps.read_normals(path)
    return values, about


def _array(path: Path, layout: Layout) -> tuple[np.ndarray, Mapping[str, Any]]:
    """A numpy file's array as it is; in a .npz that of the layout's name, else the only one."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    if path.suffix.lower() == ".npy":
        return read_npy(path, layout)
    try:
        with ZipFile(path) as file:
            held = {name.removesuffix(".npy") for name in file.namelist()} - {"about"}
    except (OSError, BadZipFile) as error:
        raise InputError(f"{path}: not a readable numpy archive ({error})") from error
    if layout.entry not in held and len(held) == 1:
        layout = replace(layout, entry=held.pop())
    return read_npz(path, layout)


def _without_units(values: np.ndarray, size: Size | None) -> np.ndarray:
    """[1, H, W] and [H, W, 1] as [H, W], also of another size; others as they are."""
    if values.ndim == 2:
        return values
    if size and [each for each in values.shape if each != 1] == [
        each for each in size if each != 1
    ]:
        return values.reshape(size)
    units = [axis for axis, each in enumerate(values.shape) if each == 1]
    return values.squeeze(tuple(units[: max(values.ndim - 2, 0)]))


def _channels_last(values: np.ndarray, size: Size | None) -> np.ndarray:
    """[3, H, W] as [H, W, 3]; the size decides where both are possible."""
    if values.ndim == 4 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 3 or values.shape[0] != 3 or (size and values.shape == (*size, 3)):
        return values
    is_planes = values.shape[1:] == size or values.shape[2] != 3
    return values.transpose(1, 2, 0) if is_planes else values


def _check_size(path: Path, found: Size, size: Size | None) -> None:
    if size is not None and found != size:
        raise InputError(
            f"{path}: {found[1]} x {found[0]} pixels, but the image and its truth have {size[1]} x "
            f"{size[0]}; {_remedy(found, size)}"
        )


def _remedy(found: Size, size: Size) -> str:
    """KITTI's images are judged on a crop, and many predict them whole."""
    if size == CROP_SIZE and found[0] >= size[0] and found[1] >= size[1]:
        return (
            "crop the prediction as the benchmark does: "
            f"the lowest {size[0]} rows, the middle {size[1]} columns"
        )
    return "resize the prediction, it is judged as it is"
