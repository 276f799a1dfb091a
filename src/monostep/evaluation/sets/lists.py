"""Lists of a benchmark's samples: by rule from what is there, or from a file; and their hash.

A template as "test/{scene}/rgb_{frame}.png" says where one kind of file lies. Each field stands
for a part of a path without a slash, the same wherever it is repeated.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monostep.errors import InputError

_FIELD = re.compile(r"\{(\w+)\}")
NO_DEPTH = "None"  # what the published lists write where an image has no truth


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The files of one image; names are relative to the data set's root."""

    image: str
    depth: str
    mask: str | None = None


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Where the files of a sample lie."""

    image: str
    depth: str
    mask: str | None = None

    def fill(self, fields: Mapping[str, str]) -> Sample:
        """The files of the sample with these fields."""
        return Sample(
            image=self.image.format_map(fields),
            depth=self.depth.format_map(fields),
            mask=None if self.mask is None else self.mask.format_map(fields),
        )


@dataclass(frozen=True, kw_only=True)
class SampleList:
    """Samples in their order, and how many images are left out because they have no truth."""

    samples: Sequence[Sample]
    without_truth: int = 0

    @property
    def sha256(self) -> str:
        """Hash of the sorted lines "image depth"; equal exactly for the same pairs of files."""
        return _hash(f"{sample.image} {sample.depth}" for sample in self.samples)

    @property
    def masks_sha256(self) -> str | None:
        """The same of the lines "image mask"; None where no sample has a mask."""
        lines = [f"{sample.image} {sample.mask}" for sample in self.samples if sample.mask]
        return _hash(lines) if lines else None


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def pattern(template: str) -> re.Pattern[str]:
    """The template as an expression for whole names; group "root" holds the folder above it."""
    parts, seen = [], set()
    for index, part in enumerate(_FIELD.split(template)):
        if index % 2 == 0:
            parts.append(re.escape(part))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>[^/]+)")
            seen.add(part)
    return re.compile(r"(?P<root>(?:.+/)?)" + "".join(parts))


def by_rule(names: Sequence[str], templates: Templates, *, by_depth: bool) -> SampleList:
    """Every sample of which a file is there, sorted by image.

    An image without depth stays in the list, to be named as missing; with `by_depth`, where the
    data set has images without truth on purpose, it is left out and counted.
    """
    of_image = _filled(names, templates, templates.image)
    of_depth = _filled(names, templates, templates.depth)
    chosen = of_depth if by_depth else of_depth | of_image
    return SampleList(
        samples=tuple(chosen[image] for image in sorted(chosen)),
        without_truth=len(of_image.keys() - chosen.keys()),
    )


def _filled(names: Sequence[str], templates: Templates, template: str) -> dict[str, Sample]:
    """The sample of each name that follows one of the templates, by its image."""
    expression = pattern(template)
    follow = (found for name in names if (found := _fields(expression, name)) is not None)
    return {sample.image: sample for sample in map(templates.fill, follow)}


def _fields(expression: re.Pattern[str], name: str) -> dict[str, str] | None:
    """The fields of a name that follows a template from the data set's root, else None."""
    match = expression.fullmatch(name)
    if match is None or match["root"]:
        return None
    return {field: text for field, text in match.groupdict().items() if field != "root"}


def from_file(path: Path, templates: Templates) -> SampleList:
    """Read a list: a line per image, columns "image depth", or for masked depth "image depth mask".

    Columns are parted by white space; others, as a focal length, are not used. An image whose depth
    is "None" is left out and counted; one without further columns has its depth by rule.

    Raises:
        InputError: no such file, no text, nothing in it, or an image twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(
            f"{path}: the list cannot be read ({error.strerror}); check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: a list of images is text in UTF-8; save it as such") from error
    rows = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    with_truth = [(number, columns) for number, columns in rows if columns[1:2] != [NO_DEPTH]]
    samples = [_sample(columns, templates, f"{path}:{number}") for number, columns in with_truth]
    if not samples:
        raise InputError(f"{path}: lists no image with truth; write lines 'image depth'")
    image, times = Counter(sample.image for sample in samples).most_common(1)[0]
    if times > 1:
        raise InputError(f"{path}: lists {image} {times} times; each image counts once")
    return SampleList(samples=tuple(samples), without_truth=len(rows) - len(with_truth))


def _sample(columns: Sequence[str], templates: Templates, where: str) -> Sample:
    """The files that a line names, and by rule those that it does not."""
    image, *rest = (column.removeprefix("./") for column in columns)
    found = _fields(pattern(templates.image), image)
    rule = Sample(image=image, depth="", mask="") if found is None else templates.fill(found)
    depth = rest[0] if rest else rule.depth
    mask = None if templates.mask is None else rest[1] if len(rest) > 1 else rule.mask
    if not depth or mask == "":
        raise InputError(
            f"{where}: only {' '.join(columns)!r}; write 'image depth"
            f"{'' if templates.mask is None else ' mask'}', or name it as {templates.image}"
        )
    return Sample(image=image, depth=depth, mask=mask)
