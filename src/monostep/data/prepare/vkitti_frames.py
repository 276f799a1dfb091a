"""Which frames of Virtual KITTI 2 there are: the official folders, selections and lists."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from monostep.data.prepare import file_list
from monostep.errors import InputError, SettingError

# Frames of each scene, for every condition and camera.
COUNTS = {"Scene01": 447, "Scene02": 233, "Scene06": 270, "Scene18": 339, "Scene20": 837}
CONDITIONS = (
    *("15-deg-left", "15-deg-right", "30-deg-left", "30-deg-right"),
    *("clone", "fog", "morning", "overcast", "rain", "sunset"),
)
_LISTED = re.compile(r"(?:.*/)?(Scene\d+)/([^/]+)/frames/rgb/Camera_(\d)/rgb_(\d+)\.jpg")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which scenes and conditions somebody trained on, and what was held out."""

    scenes: tuple[str, ...]
    conditions: tuple[str, ...]
    held_out: tuple[str, ...]  # scenes of the split "val"

    def split(self, scene: str) -> str:
        """Return train or val."""
        return "val" if scene in self.held_out else "train"


SELECTIONS = {
    # E2E-FT: all scenes, nothing held out, and no plain weather.
    "paper": Selection(
        scenes=tuple(COUNTS),
        conditions=("fog", "morning", "overcast", "rain", "sunset"),
        held_out=(),
    ),
    "marigold": Selection(
        scenes=tuple(COUNTS),
        conditions=("15-deg-left", "15-deg-right", "clone", "morning", "overcast", "sunset"),
        held_out=("Scene01",),
    ),
}


@dataclass(frozen=True, kw_only=True, order=True)
class Frame:
    """One image; ordered by scene, condition, camera and number."""

    scene: str
    condition: str
    camera: int
    number: int

    @property
    def name(self) -> str:
        """The frame in words: scene/condition/Camera_N/number."""
        return f"{self.scene}/{self.condition}/Camera_{self.camera}/{self.number:05d}"

    def path(self, folder: Path, kind: str, ending: str) -> Path:
        """Return the frame's file of a kind (rgb, depth) below `folder`."""
        place = folder / self.scene / self.condition / "frames" / kind / f"Camera_{self.camera}"
        return place / f"{kind}_{self.number:05d}.{ending}"


def selection(name: str) -> Selection:
    """Return a selection by its name (SettingError for an unknown one)."""
    if name not in SELECTIONS:
        raise SettingError(f"selection {name!r}: choose {' or '.join(SELECTIONS)}")
    return SELECTIONS[name]


def folder(root: Path, kind: str) -> Path:
    """Return where the scenes of a kind (rgb, depth) lie: as the tars unpack, or renamed.

    Raises:
        InputError: nowhere below `root`.
    """
    names = (f"vkitti_2.0.3_{kind}", kind, ".")
    for name in names:
        if any((root / name).glob(f"Scene*/*/frames/{kind}")):
            return root / name
    raise InputError(
        f"{root}: no Scene*/*/frames/{kind} in it, nor in {names[0]} or {kind}; "
        "unpack the official tar files there"
    )


def found(rgb: Path, scenes: Sequence[str], conditions: Sequence[str]) -> list[Frame]:
    """Return the frames of these scenes and conditions, both cameras, in order.

    Raises:
        InputError: a scene, condition or camera is not there.
        SettingError: one that Virtual KITTI 2 does not have.
    """
    _check("scene", scenes, tuple(COUNTS))
    _check("condition", conditions, CONDITIONS)
    return [
        frame
        for scene in sorted(set(scenes))
        for condition in sorted(set(conditions))
        for camera in (0, 1)
        for frame in _series(rgb, scene, condition, camera)
    ]


def listed(list_file: Path) -> list[Frame]:
    """Return the frames of a list, whose lines begin with the path of an image.

    Raises:
        InputError: the list is missing, or a line is another.
    """
    frames = set()
    for count, line in enumerate(file_list.lines(list_file), start=1):
        match = _LISTED.match(line)
        if match is None or match[2] not in CONDITIONS:
            raise InputError(
                f"{list_file}:{count}: expected "
                f"SceneNN/CONDITION/frames/rgb/Camera_N/rgb_NNNNN.jpg, got {line[:60]!r}"
            )
        scene, condition, camera, number = match.groups()
        frames.add(Frame(scene=scene, condition=condition, camera=int(camera), number=int(number)))
    return sorted(frames)


def shortfalls(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Return a note for each series that has fewer frames than the official one."""
    series: dict[tuple[str, str, int], int] = {}
    for frame in frames:
        key = (frame.scene, frame.condition, frame.camera)
        series[key] = series.get(key, 0) + 1
    return tuple(
        f"{scene}/{condition}/Camera_{camera}: {count} of {COUNTS[scene]} frames"
        for (scene, condition, camera), count in series.items()
        if count < COUNTS.get(scene, 0)
    )


def _series(rgb: Path, scene: str, condition: str, camera: int) -> Iterator[Frame]:
    place = rgb / scene / condition / "frames" / "rgb" / f"Camera_{camera}"
    numbers = sorted(int(each.stem[4:]) for each in place.glob("rgb_[0-9]*.jpg"))
    if not numbers:
        raise InputError(f"{place}: no images; unpack them, or leave this series out")
    for number in numbers:
        yield Frame(scene=scene, condition=condition, camera=camera, number=number)


def _check(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise SettingError(f"{what} {name!r}: Virtual KITTI 2 has {', '.join(known)}")
