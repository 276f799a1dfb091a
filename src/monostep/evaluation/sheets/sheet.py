"""Sheets: the worst, the median and the best images, every contender beside the truth."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from monostep.errors import SettingError
from monostep.evaluation.scores import MODEL, Line
from monostep.evaluation.sheets.row import SheetRow
from monostep.evaluation.sheets.tiles import heading, strip
from monostep.files.atomic import replacing
from monostep.files.preview import write_png8

_QUALITY = 92  # of JPEG
_JPEG = (".jpg", ".jpeg")


def choose(
    lines: Sequence[Line], metric: str, count: int, *, smaller_is_better: bool = True
) -> list[tuple[int, str]]:
    """The places of the worst, median and best images among the lines, each with its word.

    At most `count` of each kind, the worst image first and the best last; no image twice. Images
    with a problem, or without this metric, are never chosen.
    """
    scored = [
        (line.scores[MODEL][metric], place)
        for place, line in enumerate(lines)
        if line.problem is None and math.isfinite(line.scores[MODEL][metric])
    ]
    ordered = [place for _, place in sorted(scored, reverse=smaller_is_better)]
    each = min(count, max(1, len(ordered) // 3))
    best = ordered[each:][-each:] if each else []
    between = ordered[each : len(ordered) - len(best)]
    first = max(0, (len(between) - each) // 2)
    kinds = {"worst": ordered[:each], "median": between[first : first + each], "best": best}
    return [(place, word) for word, places in kinds.items() for place in places]


def draw(path: Path, rows: Iterable[SheetRow], *, metric: str, cropped: bool = False) -> int:
    """Write a sheet as .png or .jpg; the number of its rows, and no file if there is none.

    Columns: image, truth, then for each contender its map and its error, with its score below.
    Depth has the colours of the truth's range in all columns. `cropped` shows in every row the
    whole image with a frame where the contenders differ most, and then what lies inside of it. Rows
    are drawn as they come, so that one at a time is in memory. All rows have the same contenders in
    the same order.

    Raises:
        SettingError: another ending.
        OutputError: the file cannot be written.
    """
    if path.suffix.lower() not in (".png", *_JPEG):
        raise SettingError(f"{path}: a sheet is a .png or .jpg file; choose one of these endings")
    strips: list[UInt8[np.ndarray, "height width 3"]] = []
    for row in rows:
        if not strips:
            strips.append(heading(row, cropped=cropped))
        strips.append(strip(row, metric, cropped=cropped))
    if not strips:
        return 0
    _write(path, np.concatenate(strips))
    return len(strips) - 1


def _write(path: Path, pixels: UInt8[np.ndarray, "height width 3"]) -> None:
    if path.suffix.lower() not in _JPEG:
        write_png8(path, pixels)
        return
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="JPEG", quality=_QUALITY)
