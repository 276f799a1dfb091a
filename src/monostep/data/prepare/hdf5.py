"""Arrays in HDF5 files as Hypersim has them: one a file, under the name `dataset`."""

from pathlib import Path
from types import ModuleType

import numpy as np
from jaxtyping import Shaped

from monostep.errors import InputError, MissingExtraError

_ENTRY = "dataset"
_ERRORS = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    RuntimeError,
    AttributeError,
    MemoryError,
)


def read(path: Path, shape: tuple[int, ...]) -> Shaped[np.ndarray, "..."]:
    """Return the array of this shape in a file, in its own type.

    Raises:
        InputError: the file is missing, damaged, has no entry `dataset`, or one of another shape.
        MissingExtraError: h5py is not installed.
    """
    library = _library(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; download it, or check the folder")
    try:
        with library.File(path, "r") as file:
            entry = file[_ENTRY]
            if entry.shape != shape:  # before it takes memory
                raise InputError(
                    f"{path}: expected numbers {list(shape)}, got {entry.dtype} {list(entry.shape)}"
                )
            return entry[()]
    except InputError:
        raise
    except _ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: not readable ({reason}); download it again") from error


def _library(path: Path) -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: HDF5 needs h5py, which is not installed: pip install 'monostep[train]'"
        ) from error
    return h5py
