"""A benchmark by what the user types."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from monostep.errors import SettingError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.case import Case
from monostep.evaluation.rules import Rules, Task
from monostep.evaluation.sets import depth_sets, normals_sets
from monostep.evaluation.sets.manifest_set import ManifestSet
from monostep.evaluation.sets.procedural import Procedural
from monostep.evaluation.sets.real import Motorcycle

Kind: TypeAlias = Literal["procedural", "motorcycle", "depth set", "normals set", "manifest"]

DEPTH_PROTOCOL, NORMALS_PROTOCOL = "marigold-2024", "dsine-2024"  # unless another is asked for
_PARTS = {"diode-indoor": "indoor", "diode-outdoor": "outdoor"}
_NORMALS = "-normals"  # behind the names that depth benchmarks have too
DEPTH_SETS = (*depth_sets.NAMES, *_PARTS)
NORMALS_SETS = tuple(
    f"{name}{_NORMALS}" if name in depth_sets.NAMES else name for name in normals_sets.NAMES
)
NAMES = ("procedural", "motorcycle", *DEPTH_SETS, *NORMALS_SETS)
_MANIFESTS = (".jsonl", ".csv")
SETS: tuple[Kind, ...] = ("depth set", "normals set")
_USED_BY: Mapping[str, tuple[Kind, ...]] = {  # options by the benchmarks that they are for
    "data": SETS,
    "protocol": SETS,
    "list": SETS,
    "split": ("manifest",),
    "height": ("procedural",),
    "width": ("procedural",),
    "baseline-scenes": ("procedural",),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a benchmark may be told; None: nothing was asked."""

    data: Path | None = None  # the folder or tar of published benchmarks
    protocol: str | None = None
    list: Path | None = None  # of images, instead of the published one
    split: str | None = None
    images: int | None = None  # only the first ones
    height: int | None = None
    width: int | None = None
    baseline_scenes: int | None = None


def kind(name: str) -> Kind:
    """Which kind of benchmark a name means.

    Raises:
        SettingError: none, with all that there are.
    """
    if name == "procedural" or name == "motorcycle":
        return name
    if name in DEPTH_SETS:
        return "depth set"
    if name in NORMALS_SETS:
        return "normals set"
    if Path(name).suffix.lower() in _MANIFESTS or Path(name).is_dir():
        return "manifest"
    raise SettingError(
        f"benchmark {name!r}: choose {', '.join(NAMES)}, or a manifest of your own (.jsonl, .csv "
        "or a folder)"
    )


def check(names: Sequence[str], asked: Asked) -> None:
    """Refuse options that mean nothing for any of the benchmarks.

    Raises:
        SettingError: the option, and what it is for.
    """
    kinds = {kind(name) for name in names}
    for option, users in _USED_BY.items():
        given = getattr(asked, option.replace("-", "_")) is not None
        if given and not kinds & set(users):
            for_these = " or a ".join(map(_typed, users))
            raise SettingError(
                f"--{option} is for a {for_these}, not for {', '.join(names)}: leave it out"
            )


def _typed(kind: Kind) -> str:
    """What people call it."""
    return f"published benchmark of {kind.removesuffix(' set')}" if kind in SETS else kind


def choose(name: str, asked: Asked) -> Benchmark:
    """The benchmark of a name, with its data found.

    Raises:
        SettingError: an unknown name, or an option that is missing or makes no sense.
        InputError: the data are not there.
        MissingExtraError: the data come with a package that is not installed.
    """
    benchmark: Benchmark = _OPENERS[kind(name)](name, asked)
    if asked.images is None or isinstance(benchmark, Procedural):
        return benchmark
    if asked.images >= len(benchmark.names):
        return benchmark  # whole, and said to be
    return First(benchmark, asked.images)


class First:
    """The first images of a benchmark."""

    def __init__(self, benchmark: Benchmark, images: int) -> None:
        """Take so many, or all if there are fewer."""
        self._whole = benchmark
        self.names = list(benchmark.names[:images])

    @property
    def name(self) -> str:
        """That of the whole."""
        return self._whole.name

    @property
    def rules(self) -> Mapping[Task, Rules]:
        """Those of the whole."""
        return self._whole.rules

    def load(self, index: int, *, image: bool = True) -> Case:
        """One image, as the whole has it."""
        return self._whole.load(index, image=image)

    def about(self) -> Mapping[str, Any]:
        """What the whole says, and that this is a part."""
        return {**self._whole.about(), "only_first": len(self.names)}

    def __getattr__(self, name: str) -> Any:
        """Whatever else the whole knows of itself, such as the state of its files."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._whole, name)


def _procedural(_: str, asked: Asked) -> Procedural:
    known = ("images", "height", "width", "baseline_scenes")
    given = {name: getattr(asked, name) for name in known}
    return Procedural(**{name: value for name, value in given.items() if value is not None})


def _motorcycle(_: str, __: Asked) -> Motorcycle:
    return Motorcycle()


def _depth_set(name: str, asked: Asked) -> depth_sets.DepthSet:
    return depth_sets.open_depth_set(
        "diode" if name in _PARTS else name,
        _data(name, asked),
        protocol=asked.protocol or DEPTH_PROTOCOL,
        names=asked.list,
        scenes=_PARTS.get(name),  # pyright: ignore[reportArgumentType]
    )


def _normals_set(name: str, asked: Asked) -> normals_sets.NormalsSet:
    return normals_sets.open_normals_set(
        name.removesuffix(_NORMALS),
        _data(name, asked),
        protocol=asked.protocol or NORMALS_PROTOCOL,
        names=asked.list,
    )


def _manifest(name: str, asked: Asked) -> ManifestSet:
    return ManifestSet(Path(name), split=asked.split)


def _data(name: str, asked: Asked) -> Path:
    if asked.data is None:
        raise SettingError(
            f"{name}: name the folder or tar of its data with --data (docs/reproduce.md says "
            "where to get it)"
        )
    return asked.data


# Any: type checkers do not take a cached property for a property.
_OPENERS: Mapping[Kind, Callable[[str, Asked], Any]] = {
    "procedural": _procedural,
    "motorcycle": _motorcycle,
    "depth set": _depth_set,
    "normals set": _normals_set,
    "manifest": _manifest,
}
