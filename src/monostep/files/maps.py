"""Depth, normal and uncertainty maps to files and back, the format chosen by the file's ending."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from monostep.errors import InputError, OutputError
from monostep.files.map_exr import read_exr, write_exr
from monostep.files.map_layout import (
    DEPTH,
    NORMALS,
    UNCERTAINTY,
    Layout,
    check_for_writing,
    from_reading,
)
from monostep.files.map_numpy import read_npy, read_npz, write_npy, write_npz
from monostep.files.map_png import read_png, write_png
from monostep.files.map_tiff import read_tiff, write_tiff

_Write = Callable[[Path, np.ndarray, Mapping[str, Any], Layout], None]
_Read = Callable[[Path, Layout], tuple[np.ndarray, dict[str, Any]]]

_FORMATS: dict[str, tuple[_Write, _Read]] = {
    ".npy": (write_npy, read_npy),
    ".npz": (write_npz, read_npz),
    ".png": (write_png, read_png),
    ".exr": (write_exr, read_exr),
    ".tiff": (write_tiff, read_tiff),
    ".tif": (write_tiff, read_tiff),
}
ENDINGS = tuple(_FORMATS)


def write_depth(
    path: str | os.PathLike[str],
    values: Shaped[np.ndarray, "..."],
    about: Mapping[str, Any],
    *,
    half: bool = False,
) -> None:
    """Write a float32 [H, W] map, in the unit that `about` states; .png rounds to 16 bits.

    `about` is stored as JSON inside the file, except in .npy, which has no room for it. `half`
    rounds the channels of an .exr to 16-bit floats.

    Raises:
        OutputError: unknown ending, other shape or type, or the file cannot be written.
        MissingExtraError: the format needs an extra package, which the message names.
    """
    _write(Path(path), values, about, DEPTH, half=half)


def write_normals(
    path: str | os.PathLike[str],
    values: Shaped[np.ndarray, "..."],
    about: Mapping[str, Any],
    *,
    half: bool = False,
) -> None:
    """Write float32 [H, W, 3] unit vectors, in the frame that `about` states.

    `about` is stored as JSON inside the file, except in .npy; .png rounds to 16 bits (below
    0.003 degrees), the other formats keep every bit, unless `half` rounds those of an .exr.

    Raises:
        OutputError: unknown ending, other shape or type, or the file cannot be written.
        MissingExtraError: the format needs an extra package, which the message names.
    """
    _write(Path(path), values, about, NORMALS, half=half)


def write_uncertainty(
    path: str | os.PathLike[str],
    values: Shaped[np.ndarray, "..."],
    about: Mapping[str, Any],
    *,
    half: bool = False,
) -> None:
    """Write how far an ensemble's members are apart, float32 [H, W], as `write_depth` does.

    Raises:
        OutputError: unknown ending, other shape or type, or the file cannot be written.
        MissingExtraError: the format needs an extra package, which the message names.
    """
    _write(Path(path), values, about, UNCERTAINTY, half=half)


def read_depth(
    path: str | os.PathLike[str],
) -> tuple[Float32[np.ndarray, "height width"], dict[str, Any]]:
    """Read a depth map and its description; a .npy has none, invalid PNG codes become NaN.

    Raises:
        InputError: unknown ending, or the file is missing, damaged or no depth map.
        MissingExtraError: the format needs an extra package, which the message names.
    """
    return _read(Path(path), DEPTH)


def read_normals(
    path: str | os.PathLike[str],
) -> tuple[Float32[np.ndarray, "height width 3"], dict[str, Any]]:
    """Read a normal map and its description; a .npy has none, invalid PNG codes become NaN.

    Raises:
        InputError: unknown ending, or the file is missing, damaged or no normal map.
        MissingExtraError: the format needs an extra package, which the message names.
    """
    return _read(Path(path), NORMALS)


def read_uncertainty(
    path: str | os.PathLike[str],
) -> tuple[Float32[np.ndarray, "height width"], dict[str, Any]]:
    """Read an uncertainty map and its description; a .npy has none.

    Raises:
        InputError: unknown ending, or the file is missing, damaged or no such map.
        MissingExtraError: the format needs an extra package, which the message names.
    """
    return _read(Path(path), UNCERTAINTY)


def _write(
    path: Path, values: np.ndarray, about: Mapping[str, Any], layout: Layout, *, half: bool
) -> None:
    ending = path.suffix.lower()
    if ending not in _FORMATS:
        raise OutputError(_unknown_ending(path))
    check_for_writing(values, layout, str(path))
    if half and ending != ".exr":
        raise OutputError(f"{path}: half floats are for .exr only; leave half out")
    write = partial(write_exr, half=True) if half else _FORMATS[ending][0]
    write(path, values, about, layout)


def _read(path: Path, layout: Layout) -> tuple[np.ndarray, dict[str, Any]]:
    if path.suffix.lower() not in _FORMATS:
        raise InputError(_unknown_ending(path))
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    try:
        values, about = _FORMATS[path.suffix.lower()][1](path, layout)
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    return from_reading(values, layout, str(path)), about


def _unknown_ending(path: Path) -> str:
    return f"{path}: maps end in {' '.join(ENDINGS)}, not in {path.suffix or 'nothing'}"
