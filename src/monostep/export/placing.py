"""Files that belong together, which come to their place when all of them are complete."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from monostep.errors import OutputError
from monostep.files.atomic import replacing


@contextmanager
def together(target: Path) -> Iterator[Path]:
    """Yield a path of the same name in a folder of its own; what is there is moved beside `target`.

    `target` itself is moved last, so that where it is new, the others are there. Nothing is moved,
    and all is removed, when the block fails or is interrupted.

    Raises:
        OutputError: the folder cannot be made or written, or the disk is full.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=".monostep-") as folder:
            yield Path(folder) / target.name
            files = [path for path in Path(folder).iterdir() if path.is_file()]
            for made in sorted(files, key=lambda path: path.name == target.name):
                with replacing(target.with_name(made.name)) as temporary:
                    made.replace(temporary)
    except OutputError:  # is an OSError too, and has its own words
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{target}: cannot be written ({reason}); check the folder's permissions and space"
        ) from error
