"""The published normals benchmarks, read from their files as downloaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from monostep.errors import InputError, SettingError
from monostep.evaluation.case import Case
from monostep.evaluation.rules import NormalsRules, Task
from monostep.evaluation.sets import depth_files, lists
from monostep.evaluation.sets.archive import Archive
from monostep.evaluation.sets.lists import Sample, SampleList, pattern
from monostep.evaluation.sets.locate import locate
from monostep.evaluation.sets.normals_files import read_normals
from monostep.evaluation.sets.normals_layouts import FOLDER, LAYOUTS, NormalsLayout
from monostep.evaluation.sets.normals_rules import normals_rules
from monostep.evaluation.sets.stretched import stretched
from monostep.geometry import frames

NAMES = tuple(LAYOUTS)  # nyuv2, scannet, ibims, sintel, vkitti, oasis


def open_normals_set(
    name: str, data: Path, *, protocol: str = "dsine-2024", names: Path | None = None
) -> "NormalsSet":
    """Open a normals benchmark.

    Args:
        name: one of `NAMES`.
        data: the folder dsine_eval or one that holds it, that of this set, or a tar of it, which is
            not unpacked.
        protocol: one of `normals_rules.PROTOCOLS`.
        names: a list of images instead of the published one: lines "image" or "image normals".

    Raises:
        InputError: the data are not there, or hold more than the published list names.
        SettingError: no such benchmark or protocol.
    """
    if name not in LAYOUTS:
        raise SettingError(f"no normals benchmark {name!r}; choose {', '.join(NAMES)}")
    layout = LAYOUTS[name]
    rules = normals_rules(layout, protocol)
    listed = None if names is None else lists.from_file(names, layout.templates)
    archive = locate(
        _benchmarks(data),
        f"{name}/{name}.tar",
        layout.templates,
        None if listed is None else listed.samples,
        expected=f"the set's folder {name} of {FOLDER}, or a tar of it",
    )
    samples = listed or lists.by_rule(archive.names(), layout.templates, by_depth=False)
    if listed is None and len(samples.samples) > layout.images:
        raise InputError(
            f"{data}: {len(samples.samples)} images, but {layout.name} has {layout.images}; "
            "say which ones with --list FILE, lines 'image'"
        )
    return NormalsSet(
        layout=layout, archive=archive, samples=samples, judged_by=rules, by_rule=listed is None
    )


def _benchmarks(data: Path) -> Path:
    """The folder of all data sets, where `data` is one above it."""
    above = (data / "data" / FOLDER, data / FOLDER)
    return next((folder for folder in above if folder.is_dir()), data)


@dataclass(frozen=True, kw_only=True, eq=False)
class NormalsSet:
    """A `Benchmark` of normals whose samples are files."""

    layout: NormalsLayout
    archive: Archive
    samples: SampleList
    judged_by: NormalsRules
    by_rule: bool  # the list is what is there, and should be the published one

    @property
    def name(self) -> str:
        """As it is typed."""
        return self.layout.name

    @property
    def rules(self) -> Mapping[Task, NormalsRules]:
        """How normals are judged; nothing else can be."""
        return {"normals": self.judged_by}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The images' paths below the data set's root."""
        return tuple(sample.image for sample in self.samples.samples)

    def load(self, index: int, *, image: bool = True) -> Case:
        """One sample, its image in the colours that the protocol shows.

        Raises:
            InputError: a file is missing, damaged, or of another size than its fellow.
            MissingExtraError: OpenEXR's package is needed and not installed.
        """
        sample = self.samples.samples[index]
        colours = depth_files.read_image(self.archive, sample.image) if image else None
        normals, valid = read_normals(self.archive, sample, self.layout.decoding)
        if colours is not None and colours.shape != normals.shape:
            raise InputError(
                f"{self.archive.where(sample.image)}: {colours.shape[1]} x {colours.shape[2]} "
                f"pixels, but its normals {sample.depth} have {normals.shape[1]} x "
                f"{normals.shape[2]}; are both of one image?"
            )
        if colours is not None and self.judged_by.input.colours == "stretched":
            colours = stretched(colours)
        return Case(
            name=sample.image,
            stratum=self._stratum(sample),
            image=colours,
            normals=frames.convert(normals, source=self.layout.frame, target="opencv"),
            normals_valid=valid,
        )

    def about(self) -> Mapping[str, Any]:
        """The list against the published one, and how truth is decoded."""
        layout, found = self.layout, self.samples.sha256
        expected = layout.images if self.by_rule else len(self.names)
        return {
            "count": len(self.names),
            "expected": expected,
            "missing": expected - sum(map(self._whole, self.samples.samples)),
            "without_truth": self.samples.without_truth,
            "list_sha256": found,
            "is_reference_list": layout.list_sha256 and found == layout.list_sha256,
            "decoding": layout.decoding,
            "frame": layout.frame,
        }

    def state(self) -> str:
        """A hash that changes when a file of the samples or the tar does: sizes and times."""
        files = ((sample.image, sample.depth) for sample in self.samples.samples)
        return self.archive.state(name for each in files for name in each)

    def _whole(self, sample: Sample) -> bool:
        return self.archive.has(sample.image) and self.archive.has(sample.depth)

    def _stratum(self, sample: Sample) -> str:
        """The kind of image that its path tells."""
        match = pattern(self.layout.templates.image).fullmatch(sample.image)
        return "all" if match is None else self.layout.strata.format_map(match.groupdict())
