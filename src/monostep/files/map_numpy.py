"""Maps as .npy and .npz: numpy's own files, lossless, never pickles."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from monostep.errors import InputError
from monostep.files.atomic import replacing
from monostep.files.in_memory import File, InMemory
from monostep.files.map_layout import Layout
from monostep.files.metadata import from_json, to_json

_ERRORS = (
    *(OSError, ValueError, EOFError, LookupError, ArithmeticError, MemoryError),
    # The last is what zipfile says of a compression that it does not know.
    *(zipfile.BadZipFile, NotImplementedError),
)


def write_npy(path: Path, values: np.ndarray, _about: Mapping[str, Any], _layout: Layout) -> None:
    """Write the bare array: .npy has no room for a description, which goes into a .json beside."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, values, allow_pickle=False)


def read_npy(path: Path, _layout: Layout) -> tuple[np.ndarray, dict[str, Any]]:
    """Read a .npy array; its description is empty (raises InputError)."""
    return read_array(path), {}


def read_array(file: File) -> np.ndarray:
    """Read a .npy of any shape (raises InputError)."""
    try:
        if isinstance(file, InMemory):
            with file.open() as data:
                return np.lib.format.read_array(data, allow_pickle=False)
        # Mapped first: that compares the shape with the size of the file before it takes memory.
        return np.array(np.lib.format.open_memmap(file, mode="r"))
    except _ERRORS as error:
        raise _unreadable(file, error) from error


def write_npz(path: Path, values: np.ndarray, about: Mapping[str, Any], layout: Layout) -> None:
    """Write the array under the layout's name and the description as JSON under `about`.

    Not compressed: deflating a float map takes longer than predicting it and saves a quarter.
    """
    text = np.array(to_json(about))
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, about=text, **{layout.entry: values})


def read_npz(path: Path, layout: Layout) -> tuple[np.ndarray, dict[str, Any]]:
    """Read array and description of a .npz, ours or another's (raises InputError)."""
    try:
        with path.open("rb") as handle:
            file = np.load(handle, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise InputError(f"{path}: not a .npz archive")
            if layout.entry not in file.files:
                held = ", ".join(file.files) or "nothing"
                raise InputError(f"{path}: no entry {layout.entry!r} in it, only {held}")
            values = file[layout.entry]
            if not isinstance(values, np.ndarray):  # numpy gives the bytes of what is none
                raise InputError(f"{path}: {layout.entry!r} in it is no array")
            about = str(file["about"]) if "about" in file.files else "{}"
    except InputError:
        raise
    except _ERRORS as error:
        raise _unreadable(path, error) from error
    return values, from_json(about, where=f"{path}, entry 'about'")


def _unreadable(path: File, error: Exception) -> InputError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{path}: not a readable numpy file without pickles ({reason})")
