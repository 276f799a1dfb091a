"""What the user names (files, folders, patterns, a list) to an ordered list of jobs."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from monostep.errors import InputError, SettingError
from monostep.runner import naming, stems
from monostep.runner.stems import Source

# Files in folders are taken by their ending alone: opening each to look would be slow.
_WORDS = (
    ".avif .bmp .dib .gif .heic .heif .hif .icb .jfif .j2k .jp2 .jpe .jpeg .jpg .jpx .pbm .pcx "
    ".pgm .png .pnm .ppm .tga .tif .tiff .webp"
)
IMAGE_ENDINGS = frozenset(_WORDS.split())


@dataclass(frozen=True, kw_only=True)
class Job:
    """One image to read: its path as the user would write it, and what its results are called.

    `name` is the path below the folder that was given, `stem` the results' common beginning,
    relative to the output folder; both have forward slashes.
    """

    source: Path
    name: str
    stem: str


@dataclass(frozen=True, kw_only=True)
class Absent:
    """Something the user named that yields no image, and why, in one line."""

    named: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """Every image once, in the order in which it was named first, and what was not there."""

    jobs: tuple[Job, ...]
    absent: tuple[Absent, ...]


def find(named: Iterable[str], *, output: Path, recursive: bool = True) -> Found:
    """All images of files, folders and patterns; nothing raises but two inseparable names.

    Files named one by one are always tried. Folders and patterns yield what has the ending of an
    image (or the ending that the pattern spells out), but no hidden file, nothing in the output
    folder, and no result of an earlier run.
    """
    search = _Search(output=Path(os.path.realpath(output)), recursive=recursive)
    for text in named:
        search.add(text)
    names = stems.assign([source for source, _ in search.sources.values()])
    jobs = tuple(
        Job(source=path, name=source.name, stem=stem)
        for (source, path), stem in zip(search.sources.values(), names, strict=True)
    )
    return Found(jobs=jobs, absent=tuple(search.absent))


def read_list(file: str) -> list[str]:
    """The lines of a text file, or of standard input for "-"; empty lines do not count.

    Raises:
        SettingError: the file cannot be read.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingError(f"--list-file {file}: cannot be read ({reason})") from error
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    return [os.fsdecode(line) for line in lines if line.strip()]


@dataclass(kw_only=True)
class _Search:
    """What has been found so far; a file named twice counts where it was named first."""

    output: Path
    recursive: bool
    sources: dict[Path, tuple[Source, Path]] = field(default_factory=dict)
    absent: list[Absent] = field(default_factory=list)

    def add(self, text: str) -> None:
        before = len(self.absent)
        try:
            base, paths = self._look(text)
            found = False
            for path in paths:
                found = True
                absolute = Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps ".."
                source = Source(path=absolute, base=Path(os.path.abspath(base)))  # noqa: PTH100
                self.sources.setdefault(absolute, (source, path))
            if not found and len(self.absent) == before:
                raise InputError(f"{text}: no image there; expected files such as .jpg or .png")
        except InputError as error:
            self.absent.append(Absent(named=text, reason=str(error)))
        except OSError as error:
            self.absent.append(Absent(named=text, reason=_unreadable(text, error)))

    def _look(self, text: str) -> tuple[Path, Iterable[Path]]:
        """The folder below which names count, and the images, of one thing the user named."""
        path = Path(text)
        if path.is_dir():
            return path, self._in_folder(path)
        if path.is_file():
            return path.parent, [path]
        if path.exists():
            raise InputError(f"{text}: neither a file nor a folder; save the image to a file")
        if not glob.has_magic(text):
            raise InputError(f"{text}: no such file or folder; check the path")
        return _fixed_part(path), self._matching(text)

    def _in_folder(self, folder: Path) -> Iterator[Path]:
        for here, folders, files in os.walk(folder, onerror=self._note):
            inner = [name for name in sorted(folders) if self._enters(Path(here, name))]
            folders[:] = inner if self.recursive else []
            for name in sorted(files):
                path = Path(here, name)
                if path.suffix.lower() in IMAGE_ENDINGS and _counts(path):
                    yield path

    def _matching(self, pattern: str) -> Iterator[Path]:
        endings = IMAGE_ENDINGS | {Path(pattern).suffix.lower()} - {""}
        base = Path(os.path.realpath(_fixed_part(Path(pattern))))
        inside = base.is_relative_to(self.output)
        for match in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - takes any pattern
            path = Path(match)
            if path.suffix.lower() not in endings or not path.is_file() or not _counts(path):
                continue
            if inside or not Path(os.path.realpath(path)).is_relative_to(self.output):
                yield path

    def _enters(self, folder: Path) -> bool:
        hidden = folder.name.startswith(".")
        return not hidden and Path(os.path.realpath(folder)) != self.output

    def _note(self, error: OSError) -> None:
        folder = os.fsdecode(error.filename)
        self.absent.append(Absent(named=folder, reason=_unreadable(folder, error)))


def _counts(path: Path) -> bool:
    return not path.name.startswith(".") and not naming.is_described_result(path)


def _fixed_part(pattern: Path) -> Path:
    """The folders of a pattern before its first part with * ? or [."""
    while glob.has_magic(str(pattern)):
        pattern = pattern.parent
    return pattern


def _unreadable(text: str, error: OSError) -> str:
    return f"{text}: cannot be read ({error.strerror}); check the path and its permissions"
