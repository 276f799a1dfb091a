"""What the files of one image are called, from its stem; the one place that spells these names."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PREVIEW_OF = "png"  # the format that brings a picture for people along
_HALF = "-half"
_RESULT = re.compile(r"(.+)\.(depth|normals)(\.preview|\.uncertainty|\.confidence)?\.[a-z]+")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of a task's result; `half` says that its floats have 16 bits."""

    name: str
    task: str
    holds: Literal["map", "uncertainty", "preview"]
    half: bool = False

    @property
    def kind(self) -> str:
        """What the file holds, in the words of the record."""
        words = [self.task, *([] if self.holds == "map" else [self.holds])]
        return " ".join([*words, *(["in half floats"] if self.half else [])])


def record(stem: str) -> str:
    """Name of the JSON file that describes all results of an image, written last."""
    return f"{stem}.json"


def parts(stem: str, task: str, formats: Sequence[str], *, uncertain: bool) -> list[Part]:
    """The files of a task's result: maps, uncertainties if `uncertain`, a picture for people."""
    chosen = [*_of_each(f"{stem}.{task}", task, "map", formats)]
    if uncertain:
        chosen += _of_each(f"{stem}.{task}.uncertainty", task, "uncertainty", formats)
    if PREVIEW_OF in formats:
        chosen.append(Part(name=f"{stem}.{task}.preview.png", task=task, holds="preview"))
    return chosen


def is_result_of(name: str, stem: str) -> bool:
    """Tell whether a file name could be one of a result of this stem."""
    match = _RESULT.fullmatch(name)
    return match is not None and match[1] == stem


def is_described_result(path: Path) -> bool:
    """Tell whether a file is named as a result and the record of its image lies beside it."""
    match = _RESULT.fullmatch(path.name)
    return match is not None and (path.parent / record(match[1])).is_file()


def _of_each(
    start: str, task: str, holds: Literal["map", "uncertainty"], formats: Sequence[str]
) -> Iterator[Part]:
    for word in formats:
        name = f"{start}.{word.removesuffix(_HALF)}"
        yield Part(name=name, task=task, holds=holds, half=word.endswith(_HALF))
