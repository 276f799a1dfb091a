"""Paths of a manifest: relative to its folder in the file, absolute in memory.

What lies below the folder is said as it is named. Only where `..` is needed are folders resolved
first: a link's parent is not the folder in which the link lies.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from monostep.errors import InputError


def from_text(value: Any, *, folder: Path) -> Path:
    """The file that a manifest in this (resolved) folder names; absolute paths stay.

    Raises:
        InputError: not the text of a path.
    """
    if not isinstance(value, str) or "\0" in value:
        raise InputError("expected the path of a file")
    path = folder / value
    return _resolved(path.parent) / path.name if ".." in path.parts else path


def to_text(path: Path, *, folder: Path) -> str:
    """What a manifest in this folder says for a file: relative, with forward slashes."""
    folder, path = folder.absolute(), path.absolute()
    for base in (folder, _resolved(folder)):
        if ".." not in path.parts and path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    try:
        relative = os.path.relpath(_resolved(path.parent) / path.name, _resolved(folder))
    except ValueError:  # on another drive of Windows
        return path.as_posix()
    return Path(relative).as_posix()


@lru_cache(maxsize=1024)  # a manifest has many files in few folders
def _resolved(folder: Path) -> Path:
    return Path(os.path.realpath(folder))
