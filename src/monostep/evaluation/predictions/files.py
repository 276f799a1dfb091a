"""Which file of a folder is whose prediction; each file belongs to one image at most."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from monostep.evaluation.predictions.names import ENDINGS, Folders, namings
from monostep.evaluation.rules import Task

_Index = Mapping[str, Mapping[str, Sequence[str]]]  # stem, ending, files


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The file of each image, relative to the folder, or the reason for having none."""

    files: Mapping[str, str]
    problems: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """The files that have an image's surest name; there should be one."""

    rank: tuple[int, int]  # of the way to name it, then of the ending
    files: tuple[str, ...]

    @property
    def first(self) -> str:
        """The only one, where all is well."""
        return self.files[0]


def assign(folder: Path, images: Sequence[str], *, task: Task, places: Folders) -> Assignment:
    """The file of each image.

    An image takes the file with the surest of its names, floats before codes. Two files of names
    equally sure, or two images equally sure of one file, are problems.
    """
    index = _index(folder)
    every = {image: _claim(image, index, places, task) for image in images}
    claims = {image: claim for image, claim in every.items() if claim is not None}
    owners = _owners(claims)
    files: dict[str, str] = {}
    problems: dict[str, str] = {}
    for image in images:
        claim = every[image]
        if claim is None:
            problem = f"no prediction of {image}; looked for {_tried(image, task)}"
        else:
            problem = _conflict(image, claim, owners[claim.first])
        if claim is None or problem:
            problems[image] = f"{folder}: {problem}"
        else:
            files[image] = claim.first
    return Assignment(files=files, problems=problems)


def _index(folder: Path) -> _Index:
    """All files with the ending of a map, also through links to folders, each folder once."""
    index: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    seen: set[tuple[int, int]] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        for name in sorted(names):
            path = Path(place, name).relative_to(folder)
            is_map = path.suffix.lower() in ENDINGS and not name.startswith(".")
            if is_map and Path(place, name).is_file():  # a link may lead nowhere
                stem = path.with_suffix("").as_posix()
                index[stem][path.suffix.lower()].append(path.as_posix())
    return index


def _claim(image: str, index: _Index, places: Folders, task: Task) -> _Claim | None:
    below_these, at_top = list(places.of(image)), list(places.top())
    for rank, way in enumerate(namings(image, task)):
        stems = dict.fromkeys(
            str(PurePosixPath(place, below, stem))
            for place in (at_top if way.flat else below_these)
            for below in way.folders
            for stem in way.stems
        )
        held = [index[stem] for stem in stems if stem in index]
        for second, ending in enumerate(ENDINGS):
            files = tuple(file for each in held for file in each.get(ending, ()))
            if files:
                return _Claim(rank=(rank, second), files=files)
    return None


def _owners(claims: Mapping[str, _Claim]) -> Mapping[str, Sequence[str]]:
    """The images to whose names each file fits best."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for image, claim in claims.items():
        wanted[claim.first].append(image)
    best = {file: min(claims[image].rank for image in images) for file, images in wanted.items()}
    return {
        file: [image for image in images if claims[image].rank == best[file]]
        for file, images in wanted.items()
    }


def _conflict(image: str, claim: _Claim, owners: Sequence[str]) -> str | None:
    """Why the claimed file cannot be taken, if so."""
    if len(claim.files) > 1:
        two = " and ".join(claim.files[:2])
        return f"both {two} could be the prediction of {image}; keep one of them"
    if image not in owners:
        return f"no prediction of {image}; {claim.first} is that of {owners[0]}"
    if len(owners) > 1:
        two = " and ".join(owners[:2])
        return f"{claim.first} could be the prediction of both {two}; keep their endings"
    return None


def _tried(image: str, task: Task) -> str:
    stems = dict.fromkeys(stem for way in namings(image, task) for stem in way.stems)
    return f"{', '.join(stems)} in {' '.join(ENDINGS)}"
