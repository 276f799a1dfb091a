"""Maps as 16-bit PNG: value = offset + scale * code, both told in the text chunk `monostep`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt16

from monostep.errors import InputError, OutputError
from monostep.files import png16
from monostep.files.atomic import write_bytes
from monostep.files.map_layout import NORMALS, Layout
from monostep.files.metadata import from_json, to_json

CHUNK = "monostep"
_TOP = 65535
_CODING = ("scale", "offset", "invalid_code")  # our keys in the chunk, beside the description's
_SLACK = 1e-3  # components may pass 1 by this much through rounding
_SHORTEST = 0.1  # decoded vectors below this length say "no direction" and are not stretched


@dataclass(frozen=True, kw_only=True)
class _Coding:
    """value = offset + scale * code, for codes from `first` to 65535."""

    scale: float
    offset: float
    first: int


_NORMALS = _Coding(scale=2.0 / _TOP, offset=-1.0, first=0)


def write_png(path: Path, values: np.ndarray, about: Mapping[str, Any], layout: Layout) -> None:
    """Write a map to within scale / 2 of each value; values that are not finite get code 0.

    Depths within 0..1 use that whole range whatever they are, so that files compare; others their
    own minimum to maximum.

    Raises:
        OutputError: normals have components beyond -1..1, or `about` uses a reserved key.
    """
    taken = [key for key in _CODING if key in about]
    if taken:
        raise OutputError(f"{path}: the description may not use the keys {taken} in a PNG")
    finite = np.isfinite(values)
    if layout is NORMALS:
        finite = np.logical_and.reduce(finite, axis=-1, keepdims=True)
        _check_unit(values, finite, path)
        coding = _NORMALS
    else:
        coding = _depth_coding(values[finite].astype(np.float64), all_finite=bool(finite.all()))
    numbers: dict[str, Any] = {"scale": coding.scale, "offset": coding.offset}
    if not finite.all():
        numbers["invalid_code"] = 0
    codes = np.where(finite, _encode(values, coding), 0).astype(np.uint16)
    write_bytes(path, png16.encode(codes, {CHUNK: to_json({**about, **numbers})}))


def read_png(path: Path, layout: Layout) -> tuple[np.ndarray, dict[str, Any]]:
    """Read a map that `write_png` wrote; invalid values come back as NaN, normals as unit vectors.

    Raises:
        InputError: the file is damaged, or says nothing of its scale.
    """
    try:
        picture = png16.decode(path.read_bytes())
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if CHUNK not in picture.text:
        raise InputError(
            f"{path}: no text chunk {CHUNK!r}, so the scale of its codes is unknown; "
            "use a file that monostep wrote, or .npy"
        )
    about = from_json(picture.text[CHUNK], where=f"{path}, text chunk {CHUNK!r}")
    codes = picture.pixels.squeeze(-1) if picture.pixels.shape[-1] == 1 else picture.pixels
    values = _decode(codes, about, path)
    return (_unit(values) if layout is NORMALS else values), {
        key: value for key, value in about.items() if key not in _CODING
    }


def _check_unit(values: np.ndarray, finite: np.ndarray, path: Path) -> None:
    if (np.abs(np.where(finite, values, 0)) > 1 + _SLACK).any():
        raise OutputError(f"{path}: normals have unit length, got components beyond 1")


def _depth_coding(finite: Float64[np.ndarray, " count"], *, all_finite: bool) -> _Coding:
    """Choose the coding of these values; code 0 stays free where it must mean "invalid"."""
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    first = 0 if all_finite else 1
    scale = (high - low) / (_TOP - first)
    return _Coding(scale=scale, offset=low - scale * first, first=first)


def _encode(values: np.ndarray, coding: _Coding) -> np.ndarray:
    """Return the nearest codes as floats; a constant map has scale 0 and any code is right."""
    known = np.where(np.isfinite(values), values, coding.offset).astype(np.float64)
    return np.clip(np.rint((known - coding.offset) / (coding.scale or 1.0)), coding.first, _TOP)


def _decode(
    codes: UInt16[np.ndarray, "..."], about: Mapping[str, Any], path: Path
) -> Float64[np.ndarray, "..."]:
    try:
        values = float(about["offset"]) + float(about["scale"]) * codes
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f"{path}: text chunk {CHUNK!r} has no scale and offset") from error
    if "invalid_code" in about:
        invalid = codes == about["invalid_code"]
        values[invalid if codes.ndim == 2 else invalid.all(axis=-1)] = np.nan
    return values


def _unit(values: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.where(length < _SHORTEST, 0.0, values / np.maximum(length, _SHORTEST))
