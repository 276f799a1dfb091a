"""Which frames are whole: a file that only grows, so that a run can stop at any point."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from monostep.data.prepare.job import Facts, Job
from monostep.errors import OutputError, SettingError
from monostep.files.atomic import write_bytes
from monostep.files.metadata import from_json, to_json

NAME = "prepared.jsonl"
_VERSION = 1


class Ledger:
    """The frames of one output folder; its first line says with which settings they were made."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        """Read what is there and drop a line that an interruption has torn.

        Raises:
            SettingError: the folder holds frames made with other settings.
            OutputError: the folder cannot be written.
        """
        self._path = folder / NAME
        self._folder = folder
        self._facts: dict[str, Facts | None] = {}
        self._bytes: dict[str, dict[str, int]] = {}
        head = to_json({"monostep_prepare": _VERSION, **settings})
        found = _lines(self._path)
        if found and found[0] != head:
            raise SettingError(
                f"{folder}: prepared with {found[0]}, asked for {head}; "
                "choose another folder, or delete this one"
            )
        for line in found[1:]:
            self._read(line)
        write_bytes(self._path, "".join(f"{line}\n" for line in [head, *self._lines()]).encode())

    def is_whole(self, job: Job) -> bool:
        """Tell whether the frame was written and its files are there with the sizes they had."""
        return job.name in self._facts and self._sizes(job) == self._bytes[job.name]

    def facts(self, name: str) -> Facts | None:
        """What was found when the frame was written."""
        return self._facts[name]

    def add(self, job: Job, facts: Facts | None) -> None:
        """Note that a frame's files are all there (raises OutputError)."""
        name = job.name
        self._facts[name], self._bytes[name] = facts, self._sizes(job)
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{self._line(name)}\n")
        except OSError as error:
            raise OutputError(
                f"{self._path}: cannot be written ({error.strerror}); check permissions and space"
            ) from error

    def _read(self, line: str) -> None:
        try:
            entry = from_json(line, where=NAME)
            facts = entry["facts"]
            self._bytes[entry["frame"]] = dict(entry["bytes"])
            self._facts[entry["frame"]] = None if facts is None else Facts(**facts)
        except (LookupError, TypeError, ValueError):
            return  # torn: the frame is written again

    def _lines(self) -> list[str]:
        return [self._line(name) for name in self._facts]

    def _line(self, name: str) -> str:
        facts = self._facts[name]
        about = None if facts is None else asdict(facts)
        return to_json({"frame": name, "facts": about, "bytes": self._bytes[name]})

    def _sizes(self, job: Job) -> dict[str, int]:
        """Bytes of the frame's files that are ours, by their place in the folder."""
        row = job.row
        paths = [each for each in (row.image, row.depth, row.normals) if each is not None]
        ours = [each for each in paths if each.is_relative_to(self._folder)]
        return {
            each.relative_to(self._folder).as_posix(): each.stat().st_size if each.is_file() else -1
            for each in ours
        }


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines()
