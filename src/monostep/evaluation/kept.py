"""The maps of models that an evaluation keeps, as `monostep predict` would name them."""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from monostep.errors import InputError, OutputError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.live import LiveModel
from monostep.evaluation.rules import Task
from monostep.evaluation.session import Contender
from monostep.results import Result, map_of
from monostep.runner import stems
from monostep.runner.stems import Source

_ROOT = Path("/")
_UP = ("..", "/")


def check_folder(folder: Path) -> None:
    """Make the folder of the maps and write into it (raises OutputError when that cannot be)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"save-predictions {folder}: cannot be written ({error.strerror}); choose another "
            "folder"
        ) from error


class Kept:
    """A folder for the maps of models: in it one for each benchmark, and for each of its images.

    With several models, which is to keep them `apart`, each has a folder around these.
    """

    def __init__(self, benchmark: Benchmark, folder: Path | None, *, apart: bool) -> None:
        """Choose the files' names; without a folder nothing is kept.

        Raises:
            InputError: two images would share a file.
        """
        self._folder, self._apart = folder, apart
        self._benchmark = benchmark.name.replace("/", "-")
        self._stems = {} if folder is None else _stems(benchmark.names)

    def by(self, contender: Contender) -> Callable[[str, Result], None] | None:
        """What keeps a result of this contender under its image's name; None: nothing is kept."""
        if self._folder is None or not isinstance(contender, LiveModel):
            return None

        def keep(name: str, result: Result) -> None:
            for task in contender.tasks:
                map_of(result, task).save(self._file(contender, name, task))

        return keep

    def is_complete(self, contender: Contender) -> bool:
        """Whether nothing has to be kept any more that is not there."""
        if self._folder is None or not isinstance(contender, LiveModel):
            return True
        return all(
            self._file(contender, name, task).is_file()
            for name in self._stems
            for task in contender.tasks
        )

    def _file(self, contender: Contender, name: str, task: Task) -> Path:
        assert self._folder is not None
        folder = self._folder / contender.name if self._apart else self._folder
        return folder / self._benchmark / f"{self._stems[name]}.{task}.npy"


def _stems(names: Sequence[str]) -> dict[str, str]:
    """By image: the stem of its files, inside the folder also where a name leads out of it."""
    inside = {
        name: "/".join(p for p in PurePosixPath(name).parts if p not in _UP) for name in names
    }
    for name, count in Counter(inside.values()).items():
        if count > 1:
            raise InputError(f"save-predictions: {count} images would be kept as {name}")
    sources = [Source(path=_ROOT / name, base=_ROOT) for name in inside.values()]
    return dict(zip(names, stems.assign(sources), strict=True))
