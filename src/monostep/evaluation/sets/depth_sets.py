"""The published depth benchmarks, read from their files as downloaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from monostep.errors import InputError, SettingError
from monostep.evaluation.case import Case
from monostep.evaluation.rules import DepthRules, Task
from monostep.evaluation.sets import depth_files, lists
from monostep.evaluation.sets.archive import Archive
from monostep.evaluation.sets.depth_layouts import CROP_SIZE, GARG, LAYOUTS, Box, DepthLayout
from monostep.evaluation.sets.depth_rules import depth_rules
from monostep.evaluation.sets.lists import Sample, SampleList, pattern
from monostep.evaluation.sets.locate import locate

Scenes: TypeAlias = Literal["indoor", "outdoor"]

NAMES = tuple(LAYOUTS)  # nyuv2, kitti, eth3d, scannet, diode
SCENES: Mapping[str, Scenes] = {"indoors": "indoor", "outdoor": "outdoor"}  # DIODE's folders


def open_depth_set(
    name: str,
    data: Path,
    *,
    protocol: str = "marigold-2024",
    names: Path | None = None,
    scenes: Scenes | None = None,
) -> "DepthSet":
    """Open a depth benchmark.

    Args:
        name: one of `NAMES`.
        data: the folder of all benchmarks, that of this set, or its tar, which is not unpacked.
        protocol: one of `depth_rules.PROTOCOLS`.
        names: a list of samples instead of the published one: lines "image depth".
        scenes: only these of DIODE.

    Raises:
        InputError: the data are not there, or hold more than the published list names.
        SettingError: no such benchmark, protocol or part.
    """
    if name not in LAYOUTS:
        raise SettingError(f"no depth benchmark {name!r}; choose {', '.join(NAMES)}")
    benchmark = name if scenes is None else f"{name}-{scenes}"
    layout = LAYOUTS[name]
    if benchmark not in layout.official:
        raise SettingError(f"{name}: has no {scenes} part; leave the scenes out")
    rules = depth_rules(benchmark, protocol)
    listed = None if names is None else lists.from_file(names, layout.templates)
    archive = locate(data, layout.tar, layout.templates, None if listed is None else listed.samples)
    samples = listed or lists.by_rule(archive.names(), layout.templates, by_depth=layout.unlabelled)
    if scenes is not None:
        samples = _part(samples, scenes, where=names or data)
    if listed is None:
        _refuse_more(samples, layout.official[benchmark].images, benchmark, data)
    return DepthSet(
        name=benchmark,
        layout=layout,
        archive=archive,
        samples=samples,
        judged_by=rules,
        by_rule=listed is None,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthSet:
    """A `Benchmark` of depth whose samples are files."""

    name: str
    layout: DepthLayout
    archive: Archive
    samples: SampleList
    judged_by: DepthRules
    by_rule: bool  # the list is what is there, and should be the published one

    @property
    def rules(self) -> Mapping[Task, DepthRules]:
        """How depth is judged; nothing else can be."""
        return {"depth": self.judged_by}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The images' paths below the data set's root."""
        return tuple(sample.image for sample in self.samples.samples)

    def load(self, index: int, *, image: bool = True) -> Case:
        """One sample as the protocol crops and masks it.

        Raises:
            InputError: a file is missing, damaged, or of another size than its fellows.
        """
        sample = self.samples.samples[index]
        where = self.archive.where(sample.depth)
        colours = depth_files.read_image(self.archive, sample.image) if image else None
        depth_m = depth_files.read_depth(self.archive, sample, self.layout.decoding)
        if colours is not None and colours.shape[1:] != depth_m.shape:
            raise InputError(
                f"{self.archive.where(sample.image)}: {_size(colours.shape)} pixels, but its depth "
                f"{sample.depth} has {_size(depth_m.shape)}; are both of one image?"
            )
        valid = depth_files.read_valid(self.archive, sample, self.layout, depth_m)
        if self._strict:
            valid &= depth_m > 0  # a mask may claim a pixel that has no depth
        if self.layout.cropped:
            depth_m, valid = (depth_files.crop(values, where) for values in (depth_m, valid))
            colours = None if colours is None else depth_files.crop(colours, where)
        return Case(
            name=sample.image,
            stratum=self._stratum(sample),
            domain=_domain(sample),
            image=colours,
            depth_m=depth_m,
            depth_valid=depth_files.inside(valid, self._box, where),
        )

    def about(self) -> Mapping[str, Any]:
        """The list against the published one, and how truth is decoded, cropped and masked."""
        official = self.layout.official[self.name]
        expected = official.images if self.by_rule else len(self.names)
        whole = sum(map(self._whole, self.samples.samples))
        return {
            "count": len(self.names),
            "expected": expected,
            "missing": expected - whole,
            "without_truth": self.samples.without_truth,
            "list_sha256": self.samples.sha256,
            "masks_sha256": self.samples.masks_sha256,
            "is_reference_list": self.samples.sha256 == official.list_sha256,
            "decoding": self.layout.decoding,
            "crop": list(CROP_SIZE) if self.layout.cropped else None,
            **self._validity(),
        }

    def state(self) -> str:
        """A hash that changes when a file of the samples or the tar does: sizes and times."""
        files = ((sample.image, sample.depth, sample.mask) for sample in self.samples.samples)
        return self.archive.state(name for each in files for name in each if name)

    def _validity(self) -> dict[str, Any]:
        """Which pixels count, as plain values that JSON has."""
        above, below = self.layout.valid_m or (0.0 if self._strict else None, None)
        return {
            "valid_above_m": above,
            "valid_below_m": None if below == float("inf") else below,
            "valid_rows": self._box and list(self._box.rows),
            "valid_columns": self._box and list(self._box.columns),
            "valid_mask": self.layout.templates.mask is not None,
        }

    @property
    def _strict(self) -> bool:
        return self.judged_by.protocol == "monostep-1"

    @property
    def _box(self) -> Box | None:
        return GARG if self.judged_by.protocol.endswith("-garg") else self.layout.box

    def _whole(self, sample: Sample) -> bool:
        files = (sample.image, sample.depth, sample.mask)
        return all(self.archive.has(name) for name in files if name is not None)

    def _stratum(self, sample: Sample) -> str:
        """The kind of scene that the image's path tells."""
        match = pattern(self.layout.templates.image).fullmatch(sample.image)
        if match is None or self.layout.strata not in match.groupdict():
            return "all"
        return SCENES.get(match[self.layout.strata], match[self.layout.strata])


def _domain(sample: Sample) -> Scenes | None:
    """Where the image was taken, if the first folder of its path says it, as DIODE's do."""
    return SCENES.get(sample.image.split("/")[0])


def _part(samples: SampleList, scenes: Scenes, *, where: Path) -> SampleList:
    kept = tuple(sample for sample in samples.samples if _domain(sample) == scenes)
    if not kept:
        raise InputError(f"{where}: no {scenes} images there; is that part unpacked?")
    return SampleList(samples=kept)


def _refuse_more(samples: SampleList, most: int, benchmark: str, data: Path) -> None:
    """A superset must not pass for the benchmark."""
    if len(samples.samples) > most:
        raise InputError(
            f"{data}: {len(samples.samples)} images, but {benchmark} has {most}; "
            "say which ones with --list FILE, lines 'image depth'"
        )


def _size(shape: Sequence[int]) -> str:
    return f"{shape[-2]} x {shape[-1]}"
