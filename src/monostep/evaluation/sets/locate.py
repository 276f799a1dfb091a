"""Finds a benchmark's files in what the user has: all benchmarks' folder, the set's, or its tar."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from monostep.errors import InputError
from monostep.evaluation.sets.archive import Archive
from monostep.evaluation.sets.lists import Sample, Templates, pattern


def locate(
    data: Path,
    tar: str,
    templates: Templates,
    listed: Sequence[Sample] | None = None,
    *,
    expected: str | None = None,
) -> Archive:
    """The archive whose names are those of the templates, or those that are listed.

    `tar` is its published place below the folder of all benchmarks; what is unpacked may lie beside
    the tar, in a folder of the set's name, or at `data` itself, and any folders deeper. `expected`
    names the place in messages where no tar was ever published.

    Raises:
        InputError: nothing there, or the data set several times; the message says what was sought.
    """
    if not data.exists():
        raise InputError(f"{data}: no such file or folder; give the folder of the benchmark's data")
    sought = templates.image if listed is None else f"the listed {listed[0].image}"
    for place in _places(data, tar):
        archive = Archive(place)
        found = _roots(archive.names(), templates, listed)
        if len(found) > 1:
            several = ", ".join(repr(root or ".") for root in sorted(found)[:3])
            raise InputError(
                f"{place}: files as {sought} below {len(found)} folders ({several}); "
                "give one of them"
            )
        if found:
            return archive.within(next(iter(found)))
    above = _above_data(data, templates, listed)
    if above is not None:
        raise InputError(
            f"{data}: a part of the data set, whose names begin above it: give {above}"
        )
    place = expected or f"{tar}, or a folder with what it holds"
    raise InputError(f"{data}: no files as {sought} there; expected {place}")


def _above_data(data: Path, templates: Templates, listed: Sequence[Sample] | None) -> Path | None:
    """The folder above `data` from which names are as expected, if there is one."""
    if data.is_file():
        return None
    folder = data.resolve()
    names = ((folder / name).as_posix().lstrip("/") for name in Archive(folder).names())
    roots = _roots(list(names), templates, listed)
    above = (Path(folder.anchor, root) for root in sorted(roots, key=len))
    return next((root for root in above if root in folder.parents), None)


def _places(data: Path, tar: str) -> Iterator[Path]:
    """Where the data set may be, the published tar first."""
    if data.is_file():
        yield data
        return
    packed = Path(tar)
    folder = packed.parent
    for place in (packed, Path(packed.name), packed.with_suffix(""), folder, Path()):
        if (data / place).is_dir() or (place.suffix == packed.suffix and (data / place).is_file()):
            yield data / place


def _roots(
    names: Sequence[str], templates: Templates, listed: Sequence[Sample] | None
) -> Counter[str]:
    """The folders from which names are as expected, and how many of them are.

    Images and depth both count, so that a damaged data set is still found.
    """
    if listed is not None:
        wanted = {name for sample in listed for name in (sample.image, sample.depth)}
        return Counter(root for name in names for root in _above(name, wanted))
    expressions = (pattern(templates.image), pattern(templates.depth))
    matches = (expression.fullmatch(name) for name in names for expression in expressions)
    return Counter(match["root"].rstrip("/") for match in matches if match)


def _above(name: str, wanted: set[str]) -> Iterator[str]:
    """The folders below which the name's rest is wanted."""
    parts = name.split("/")
    for root in ["", *accumulate(parts[:-1], "{}/{}".format)]:
        if name[len(root) + bool(root) :] in wanted:
            yield root
