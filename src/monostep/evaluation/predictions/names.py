"""What programs call the file that holds their prediction of an image, in the order of trying.

For the image sub/a_1.jpg and depth, the names without their ending:

    monostep, where a_1.jpg and a_1.png clash     a_1.jpg.depth
    monostep                                      a_1.depth
    Marigold's and E2E-FT's evaluation            pred_a_1; x_pred for x_rgb and x_img
    the same for NYUv2                            pred_1
    Marigold's, E2E-FT's and GeoWizard's scripts  a_1_pred, a_1_depth; also in depth_npy, depth_bw
    some, where a_1.jpg and a_1.png clash         a_1.jpg; also in depth
    Lotus, and all others                         a_1; also in depth
    those that know no folders                    sub_a_1, sub__a_1, sub_a_1.jpg, sub__a_1.jpg

Each is looked for below sub/ and below BENCHMARK/sub/, the last at the top and below BENCHMARK/.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from monostep.evaluation.rules import Task
from monostep.files import maps
from monostep.runner import naming

# Floats before the rounded codes of a picture, since many programs write both.
ENDINGS = (*(each for each in maps.ENDINGS if each != ".png"), ".png")

_OF_IMAGE = re.compile(r"_(rgb|img)$")
_SCRIPTS: Mapping[Task, tuple[str, ...]] = {
    "depth": ("", "depth_npy", "depth_bw"),
    "normals": ("", "normal_npy", "normals_npy"),
}
_PLAIN: Mapping[Task, tuple[str, ...]] = {
    "depth": ("", "depth"),
    "normals": ("", "normal", "normals"),
}


@dataclass(frozen=True, kw_only=True)
class Naming:
    """One way to name predictions: stems of the files, and folders below the image's."""

    stems: tuple[str, ...]
    folders: tuple[str, ...] = ("",)
    flat: bool = False  # the image's folders are in the stems, not above them


def namings(image: str, task: Task) -> tuple[Naming, ...]:
    """The ways to name the prediction of an image, the surest first; as many for every image."""
    name = PurePosixPath(image).name
    stem = PurePosixPath(image).stem
    reference = [
        f"pred_{stem}",
        *([_OF_IMAGE.sub("_pred", stem)] if _OF_IMAGE.search(stem) else []),
    ]
    _, cut, number = stem.partition("_")
    ways = [
        Naming(stems=(_ours(name, task),)),
        Naming(stems=(_ours(stem, task),)),
        Naming(stems=tuple(reference)),
        Naming(stems=(f"pred_{number}",) if cut and number else ()),
        Naming(stems=(f"{stem}_pred", f"{stem}_{task}"), folders=_SCRIPTS[task]),
        Naming(stems=(name,), folders=_PLAIN[task]),
        Naming(stems=(stem,), folders=_PLAIN[task]),
        *_flat(image),
    ]
    return tuple(ways)


def _flat(image: str) -> list[Naming]:
    path = PurePosixPath(image)
    folders = _folders(path)
    links = ("_", "__") if folders else ()
    return [
        Naming(stems=tuple(link.join((*folders, last)) for link in links), flat=True)
        for last in (path.name, path.stem)
    ]


def _ours(stem: str, task: Task) -> str:
    (part,) = naming.parts(stem, task, ("npy",), uncertain=False)
    return part.name.removesuffix(".npy")


class Folders:
    """Below which folders an image's prediction may lie.

    Leading folders of its name may be left out as far as no other image is called the same then:
    test/kitchen/rgb_1.png may be kitchen/pred_1.npy, or pred_1.npy if there is one rgb_1 in all.
    """

    def __init__(self, images: Iterable[str], benchmark: str | None) -> None:
        self._benchmark = benchmark
        self._called = Counter(each for image in images for each in _shortened(image))

    def of(self, image: str) -> Iterator[str]:
        """Folders relative to that of the predictions, "" for itself; the longest first."""
        whole, *shorter = _shortened(image)
        own = [whole, *(each for each in shorter if self._called[each] == 1)]
        for folder, _ in own:
            yield folder
            if self._benchmark is not None:
                yield "/".join(part for part in (self._benchmark, folder) if part)

    def top(self) -> Iterator[str]:
        """Folders of what is named without the image's own folders."""
        yield ""
        if self._benchmark is not None:
            yield self._benchmark


def _folders(image: PurePosixPath) -> list[str]:
    """Those of an image's name, none of which leads upwards."""
    return [part for part in image.parent.parts if part not in ("..", "/")]


def _shortened(image: str) -> list[tuple[str, str]]:
    """Folder and stem of an image, ever more of the leading folders left out."""
    path = PurePosixPath(image)
    parts = _folders(path)
    return [("/".join(parts[first:]), path.stem) for first in range(len(parts) + 1)]
