"""Model folders: what is written again and again is made once in a process, and then copied."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

_PLACE = TemporaryDirectory(prefix="monostep-models-")  # gone when the process ends
_known: dict[object, Path] = {}


def folder(path: Path, key: object, write) -> Path:
    """The folder that `write(place)` makes, at `path`; the same key is the same folder."""
    if key not in _known:
        made = Path(_PLACE.name) / str(len(_known))
        write(made)
        _known[key] = made
    return Path(
        shutil.copytree(_known[key], path, copy_function=shutil.copyfile, dirs_exist_ok=True)
    )
