"""A map and its description, into one file, or for .npy into two."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from monostep.files.atomic import write_json

Writer = Callable[[Path, np.ndarray, dict[str, Any]], None]


def save(write: Writer, path: Path, values: np.ndarray, about: dict[str, Any]) -> None:
    """Write the map; .npy cannot hold a description, so its JSON lies beside it."""
    write(path, values, about)
    if path.suffix.lower() == ".npy":
        write_json(path.with_suffix(".json"), about)
