"""Maps as TIFF: 32-bit floats with zlib, which every TIFF reader of floats opens."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from monostep.errors import InputError, MissingExtraError
from monostep.files.atomic import replacing
from monostep.files.decoded import DECODE_ERRORS
from monostep.files.map_layout import Layout
from monostep.files.metadata import from_json, to_json


def write_tiff(path: Path, values: np.ndarray, about: Mapping[str, Any], layout: Layout) -> None:
    """Write float32 samples, the description as JSON in the tag ImageDescription.

    Raises:
        MissingExtraError: the package tifffile is not installed.
        OutputError: the file cannot be written.
    """
    tifffile = _library(path)
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            values,
            compression="zlib",
            photometric="minisblack" if layout.channels == 1 else "rgb",
            description=to_json(about),
            metadata=None,  # else tifffile adds a second description of its own
        )


def read_tiff(path: Path, _layout: Layout) -> tuple[np.ndarray, dict[str, Any]]:
    """Read the first page; a description that is not JSON is another program's and is left.

    Raises:
        InputError: the file is damaged or needs a codec that is not here.
        MissingExtraError: the package tifffile is not installed.
    """
    tifffile = _library(path)
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            values, description = page.asarray(), page.description
    except DECODE_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: not a readable TIFF file ({reason})") from error
    ours = description.startswith("{")
    return values, from_json(description, where=f"{path}, ImageDescription") if ours else {}


def _library(path: Path) -> ModuleType:
    try:
        import tifffile
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: .tiff needs the package tifffile: pip install 'monostep[formats]'"
        ) from error
    return tifffile
