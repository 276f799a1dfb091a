"""What the files of reports are called, and what stands in their place already."""

import re
from collections.abc import Iterable
from pathlib import Path

from monostep.errors import OutputError, SettingError

ENDINGS = ("json", "csv", "md", "progress.jsonl", "progress.npz")


def stem(*words: str) -> str:
    """The words that are not empty, joined, with the signs that all file systems allow."""
    return "-".join(re.sub(r"[^\w.-]+", "-", word) for word in words if word)


def check_distinct(named: Iterable[tuple[str, str]]) -> None:
    """Refuse reports that would share a file, also where upper and lower case are one.

    Args:
        named: whose report it is, in the user's words, and the stem of its files.

    Raises:
        SettingError: two of one stem.
    """
    owners: dict[str, str] = {}
    for who, its_stem in named:
        other = owners.get(its_stem.casefold())
        if other is not None:
            two = f"{who} is asked for twice" if other == who else f"{other} and {who}"
            raise SettingError(
                f"{two}: the reports would share the file {its_stem}.json; name each once, "
                "evaluate into different folders, or name predictions NAME=DIR"
            )
        owners[its_stem.casefold()] = who


def check_free(folder: Path, its_stem: str) -> None:
    """Refuse a stem where a report could not be written at the end (raises OutputError)."""
    for path in _files(folder, its_stem):
        if path.is_dir():
            raise OutputError(f"{path}: a folder is where the report goes; move it, or change -o")


def put_aside(folder: Path, its_stem: str) -> None:
    """Rename the files of a report to STEM.old.*, in place of those put aside before.

    Raises:
        OutputError: the folder cannot be written.
    """
    for path, old in zip(_files(folder, its_stem), _files(folder, f"{its_stem}.old"), strict=True):
        try:
            if path.exists():
                path.replace(old)
            else:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: cannot be put aside ({error.strerror})") from error


def _files(folder: Path, its_stem: str) -> list[Path]:
    return [folder / f"{its_stem}.{ending}" for ending in ENDINGS]
