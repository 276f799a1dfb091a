"""What the files of one image are called, from its stem; the one place that spells these names."""

import re
from collections.abc import Sequence
from pathlib import Path

PREVIEW_OF = ".png"  # the format that brings a picture for people along
_RESULT = re.compile(r"(.+)\.(depth|normals)(\.preview)?\.[a-z]+")


def record(stem: str) -> str:
    """Name of the JSON file that describes all results of an image, written last."""
    return f"{stem}.json"


def maps(stem: str, task: str, endings: Sequence[str]) -> list[str]:
    """Names of a task's map, one for each ending."""
    return [f"{stem}.{task}{ending}" for ending in endings]


def previews(stem: str, task: str, endings: Sequence[str]) -> list[str]:
    """Name of a task's picture for people, if the endings ask for one; else nothing."""
    return [f"{stem}.{task}.preview.png"] if PREVIEW_OF in endings else []


def is_result_of(name: str, stem: str) -> bool:
    """Tell whether a file name could be a map or a preview of this stem."""
    match = _RESULT.fullmatch(name)
    return match is not None and match[1] == stem


def is_described_result(path: Path) -> bool:
    """Tell whether a file is named as a result and the record of its image lies beside it."""
    match = _RESULT.fullmatch(path.name)
    return match is not None and (path.parent / record(match[1])).is_file()
