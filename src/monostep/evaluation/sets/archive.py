"""The files of a benchmark: a folder, or a tar read where it lies, without unpacking it."""

import copy
import hashlib
import os
import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from monostep.errors import InputError
from monostep.files.in_memory import File, InMemory

BLOCK = 512  # bytes of a tar's header, and what all else in it is a multiple of
END = 2 * BLOCK  # zero bytes behind a tar's last member, at least

_Places = dict[str, tuple[int, int]]  # where a file's bytes begin, and how many; -1: all


class Archive:
    """Files by name: posix, relative, without a leading "./"; hidden ones do not count.

    The index is built when the archive is made and travels with it when it is pickled. No file
    stays open.
    """

    def __init__(self, path: Path) -> None:
        """Find all files of a folder or a tar.

        Raises:
            InputError: there is neither a folder nor a whole uncompressed tar at `path`.
        """
        self.path = path
        self._packed = not path.is_dir()
        self._folder = ""  # names are relative to it: "" or "some/folder/"
        self._places = _in_tar(path) if self._packed else dict(_in_folder(path))

    def names(self) -> list[str]:
        """All files, sorted."""
        return sorted(self._places)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return _plain(name) in self._places

    def read(self, name: str) -> bytes:
        """The whole contents of a file.

        Raises:
            InputError: it is not there, or cannot be read to its end.
        """
        offset, size = self._place(name)
        source = self.path if self._packed else self._path(name)
        try:
            with source.open("rb") as file:
                file.seek(offset)
                data = file.read(size)
        except OSError as error:
            raise InputError(f"{self.where(name)}: cannot be read ({error.strerror})") from error
        if len(data) < size:
            raise InputError(f"{self.where(name)}: ends early; copy or download it again")
        return data

    def file(self, name: str) -> InMemory:
        """A file's contents as the readers of `monostep.files` take them (raises InputError)."""
        return InMemory(name=self.where(name), data=self.read(name))

    def source(self, name: str) -> File:
        """The path of a file that is unpacked, else what `file` gives (raises InputError)."""
        if self._packed:
            return self.file(name)
        self._place(name)
        return self._path(name)

    def state(self, names: Iterable[str]) -> str:
        """A hash that changes when one of these files or the tar does: sizes and times."""
        paths = [self.path] if self._packed else [self._path(name) for name in sorted(names)]
        digest = hashlib.sha256()
        for path in paths:
            digest.update(f"{path.relative_to(self.path)}\0{_facts(path)}\n".encode())
        return digest.hexdigest()

    def where(self, name: str) -> str:
        """A file's name for messages: its path, or the tar and the member."""
        full = f"{self._folder}{_plain(name)}"
        return f"{self.path}: {full}" if self._packed else str(self.path / full)

    def within(self, folder: str) -> "Archive":
        """The part below one of its folders, whose names are relative to that."""
        start = f"{folder}/" if folder else ""
        part = copy.copy(self)
        part._folder = self._folder + start
        part._places = {
            name[len(start) :]: place
            for name, place in self._places.items()
            if name.startswith(start)
        }
        return part

    def _path(self, name: str) -> Path:
        return self.path / self._folder / _plain(name)

    def _place(self, name: str) -> tuple[int, int]:
        place = self._places.get(_plain(name))
        if place is None:
            kind = "in the tar" if self._packed else "file"
            raise InputError(f"{self.where(name)}: no such {kind}; is the data set complete?")
        return place


def _plain(name: str) -> str:
    """Without "./", and without the root that a tar's absolute names begin with."""
    return str(PurePosixPath(name.lstrip("/"))) if name not in ("", ".", "/") else ""


def _facts(path: Path) -> tuple[int, int] | None:
    """What changes with a file's contents; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _hidden(name: str) -> bool:
    """Whether a file is none of the data set's: .DS_Store, or ._a.png beside every a.png."""
    return PurePosixPath(name).name.startswith(".")


def _in_folder(root: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """All files below a folder, also through links to folders, each folder once."""
    seen: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        for file in files:
            path = Path(folder, file)
            if not _hidden(file) and path.is_file():
                yield path.relative_to(root).as_posix(), (0, -1)


def _in_tar(path: Path) -> _Places:
    """Where each member's bytes lie.

    Raises:
        InputError: no tar, a compressed one, one that is damaged between its members, or that ends
            before its end mark.
    """
    if not path.is_file():
        raise InputError(f"{path}: neither a folder nor a tar; check the path")
    places: _Places = {}
    links: dict[str, str] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                name = _plain(member.name)
                if member.isreg() and not member.issparse() and not _hidden(name):
                    places[name] = (member.offset_data, member.size)
                elif member.islnk() and _plain(member.linkname) in places:
                    places[name] = places[_plain(member.linkname)]
                elif member.issym():
                    links[name] = posixpath.normpath(f"{posixpath.dirname(name)}/{member.linkname}")
            end = tar.offset
    except (OSError, tarfile.TarError) as error:
        raise InputError(
            f"{path}: not a whole uncompressed tar ({error}); "
            "download it again, or unpack it and give the folder"
        ) from error
    _refuse_early_end(path, end)
    return _with_links(places, links)


def _refuse_early_end(path: Path, end: int) -> None:
    """Refuse what tarfile takes for the end: a damaged member, a cut between two members."""
    with path.open("rb") as file:
        file.seek(end)
        if file.read(BLOCK).strip(b"\0"):
            raise InputError(f"{path}: the tar is damaged at byte {end}; download it again")
        file.seek(max(0, path.stat().st_size - END))
        if file.read().strip(b"\0"):
            raise InputError(f"{path}: the tar ends early; download it again")


def _with_links(places: _Places, links: Mapping[str, str]) -> _Places:
    """Names that lead to a file or a folder of the tar through symbolic links, too."""
    for _ in links:  # as many steps as a chain of links can have
        added: _Places = {}
        for name, target in links.items():
            target = _plain(target)
            if target in places:
                added[name] = places[target]
            start = f"{target}/"
            for below in places if not name.startswith(start) else ():
                if below.startswith(start):
                    added[f"{name}/{below[len(start) :]}"] = places[below]
        if added.keys() <= places.keys():
            break
        places = added | places
    return places
