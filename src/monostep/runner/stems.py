"""Which name each input's results get: as short as it can be while no two share one.

Tried in turn, by those that clash only:

    sub/a    sub/a.jpg    given/sub/a    given/sub/a.jpg    above/given/sub/a    ...

Names that differ in case or in the composition of accents clash too: many disks take them for one.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from monostep.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Source:
    """An image file, and the folder below which its name counts; both absolute."""

    path: Path
    base: Path

    @property
    def name(self) -> str:
        """The path below the base, with forward slashes."""
        return self.path.relative_to(self.base).as_posix()


def assign(sources: Sequence[Source]) -> list[str]:
    """A stem for each of the different sources, in their order, relative to the output folder.

    Raises:
        InputError: two files cannot be told apart by any name.
    """
    marks = _marks(sources)
    levels = [0] * len(sources)
    stems = [_stem(source, 0) + mark for source, mark in zip(sources, marks, strict=True)]
    while clashing := _clashing(stems):
        for index in clashing:
            source = sources[index]
            levels[index] += 1
            if levels[index] > 2 * len(source.base.parents) + 1:
                raise InputError(f"{source.path}: another input has the same name; rename one")
            stems[index] = _stem(source, levels[index]) + marks[index]
    return stems


def _stem(source: Source, level: int) -> str:
    """The level's name: every second one keeps the ending, every two take one more folder."""
    above, keeps_ending = divmod(level, 2)
    base = [source.base, *source.base.parents][above]
    name = PurePosixPath(source.path.relative_to(base).as_posix())
    return str(name if keeps_ending else name.with_name(name.stem))


def _marks(sources: Sequence[Source]) -> list[str]:
    """ "~2", "~3"... for files whose whole paths differ in case only: no folder name can help."""
    seen: Counter[str] = Counter()
    marks = {}
    for source in sorted(sources, key=lambda source: source.path):
        key = _key(str(source.path))
        seen[key] += 1
        marks[source.path] = f"~{seen[key]}" if seen[key] > 1 else ""
    return [marks[source.path] for source in sources]


def _clashing(stems: Iterable[str]) -> list[int]:
    places = defaultdict(list)
    for index, stem in enumerate(stems):
        places[_key(stem)].append(index)
    return [index for group in places.values() if len(group) > 1 for index in group]


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
