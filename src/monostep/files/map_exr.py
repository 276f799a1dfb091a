"""Maps as OpenEXR: floats of 32 or 16 bits, the channels named as compositing programs expect."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np

from monostep.errors import InputError, MissingExtraError, OutputError
from monostep.files.atomic import replacing
from monostep.files.in_memory import File
from monostep.files.map_layout import Layout
from monostep.files.metadata import from_json, to_json

_ATTRIBUTE = "monostep"
_MOST_HALF = float(np.finfo(np.float16).max)
_ERRORS = (RuntimeError, OSError, ValueError, TypeError, LookupError, MemoryError)


def write_exr(
    path: Path,
    values: np.ndarray,
    about: Mapping[str, Any],
    layout: Layout,
    *,
    half: bool = False,
) -> None:
    """Write the channels (Z, or N.x N.y N.z) as float32, the description as a string attribute.

    `half` rounds to 16-bit floats: values from 2^-14 up keep 11 bits (relative error 2^-11),
    smaller ones come within 2^-25.

    Raises:
        MissingExtraError: the package OpenEXR is not installed.
        OutputError: the file cannot be written, or a value is too large for a half float.
    """
    exr = _library(path)
    values = _as_half(values, path) if half else values
    header = {
        "compression": exr.ZIP_COMPRESSION,
        "type": exr.scanlineimage,
        _ATTRIBUTE: to_json(about),
    }
    planes = values.reshape(*values.shape[:2], layout.channels)
    channels = {
        name: np.ascontiguousarray(planes[..., index])
        for index, name in enumerate(layout.exr_channels)
    }
    with replacing(path) as temporary:
        try:
            exr.File(header, channels).write(str(temporary))
        except RuntimeError as error:
            raise OutputError(f"{path}: cannot be written ({error})") from error


def read_exr(file: File, layout: Layout) -> tuple[np.ndarray, dict[str, Any]]:
    """Read a map by our channel names or by those that others use; half floats are widened.

    Raises:
        InputError: the file is damaged, has other channels, or colours instead of one channel.
        MissingExtraError: the package OpenEXR is not installed.
    """
    exr = _library(file)
    with _on_disk(file) as path:
        try:
            with exr.File(str(path), separate_channels=True) as opened:
                planes = {
                    name: channel.pixels.copy() for name, channel in opened.channels().items()
                }
                about = opened.header().get(_ATTRIBUTE, "{}")
        except _ERRORS as error:
            reason = " ".join(str(error).split()).replace(str(path), path.name)
            raise InputError(f"{file}: not a readable OpenEXR file ({reason})") from error
    for names in (layout.exr_channels, *layout.foreign_channels):
        if planes.keys() >= set(names):
            _refuse_colours(planes, names, file)
            values = np.stack([planes[name] for name in names], axis=-1)
            where = f"{file}, attribute {_ATTRIBUTE!r}"
            return values.squeeze(-1) if len(names) == 1 else values, from_json(about, where=where)
    raise InputError(f"{file}: no {layout.entry} channels {layout.exr_channels}, only {[*planes]}")


def _refuse_colours(planes: Mapping[str, np.ndarray], names: tuple[str, ...], file: File) -> None:
    """Red alone is a map only where green and blue repeat it, or are not there."""
    others = [planes[name] for name in ("G", "B") if names == ("R",) and name in planes]
    if not all(np.array_equal(planes["R"], other, equal_nan=True) for other in others):
        raise InputError(
            f"{file}: channels R, G and B differ, so it is no map of one channel; "
            "normals, or a picture of the map?"
        )


def _as_half(values: np.ndarray, path: Path) -> np.ndarray:
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    if (np.isinf(halves) & np.isfinite(values)).any():
        most = np.abs(values[np.isfinite(values)]).max()
        raise OutputError(
            f"{path}: half floats end at {_MOST_HALF:.0f}, got {most:.6g}; use 32-bit exr instead"
        )
    return halves


@contextmanager
def _on_disk(file: File) -> Iterator[Path]:
    """Where the library can open the file; not all its versions read from memory."""
    if isinstance(file, Path):
        yield file
        return
    with ExitStack() as kept:
        try:
            folder = TemporaryDirectory(prefix="monostep-", ignore_cleanup_errors=True)
            path = Path(kept.enter_context(folder), "member.exr")
            path.write_bytes(file.data)
        except OSError as error:
            raise InputError(
                f"{file}: cannot be unpacked for OpenEXR ({error.strerror}); "
                "set TMPDIR to a folder that can be written"
            ) from error
        yield path


def _library(file: File) -> ModuleType:
    try:
        import OpenEXR
    except ImportError as error:
        raise MissingExtraError(
            f"{file}: .exr needs the package OpenEXR: pip install 'monostep[formats]'"
        ) from error
    return OpenEXR
