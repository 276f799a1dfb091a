"""Files that are either complete or absent, whatever interrupts their writing."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from monostep.errors import InputError, OutputError
from monostep.files.metadata import from_json, to_json

# Known only by setting it, which threads must not do at the same time: hence once, at import.
_UMASK = os.umask(0)
os.umask(_UMASK)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path` that replaces it when the block succeeds.

    Missing parent folders are made; the temporary file is removed after any failure or interrupt.

    Raises:
        OutputError: the folder cannot be made or written, or the disk is full.
    """
    target = Path(path)
    # A short name of its own: target.name plus an ending could pass the 255 bytes of a file name.
    temporary = target.with_name(f".monostep-{secrets.token_hex(8)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        # Some libraries make files that only their owner may read; others go by the umask.
        temporary.chmod(0o666 & ~_UMASK)
        _flush(temporary)
        temporary.replace(target)
    except OutputError:  # is an OSError too, and has its own words
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{target}: cannot be written ({reason}); check the folder's permissions and space"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` at once or not at all (raises OutputError)."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | os.PathLike[str], mapping: Mapping[str, Any]) -> None:
    """Write `mapping` as indented JSON with sorted keys (raises OutputError)."""
    write_bytes(path, (to_json(mapping, indent=2) + "\n").encode())


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the mapping that a JSON file holds.

    Raises:
        InputError: the file is missing, unreadable or not a JSON object.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
    return from_json(data, where=str(path))


def _flush(path: Path) -> None:
    """Ask the system to put the file on the disk, so that a power cut leaves no empty file."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
