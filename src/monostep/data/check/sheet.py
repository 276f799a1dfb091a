"""The contact sheet: picture, depth, normals and mask of each image, suspicious ones first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from monostep.data.check.entries import Entry
from monostep.data.check.findings import Finding
from monostep.data.check.reduced import Reduced, reduce
from monostep.data.check.survey import Survey
from monostep.data.frame import load
from monostep.errors import InputError
from monostep.files import photo
from monostep.files.decoded import full_scale
from monostep.files.preview import depth_preview, normals_preview, write_png8

NAME = "sheet.png"
MOST = 48  # images on it
CELL = (168, 126)  # width and height of one picture
_CAPTION, _FRAME = 16, 3
_LETTERS = 100  # of a caption
_COLOURS = {"error": (208, 32, 32), "warning": (224, 144, 0), "": (190, 190, 190)}
_MASK = {"valid": (255, 255, 255), "sky": (120, 170, 230)}

Pixels = UInt8[np.ndarray, "height width 3"]


def write(survey: Survey, folder: Path, most: int = MOST) -> int:
    """Write sheet.png; the number of images on it.

    Invalid pixels are black, in the mask sky is blue. Frames are red for errors, orange for
    warnings, grey for neither.

    Raises:
        OutputError: the file cannot be written.
        MissingExtraError: a format needs an extra package.
    """
    by_image: dict[str, list[Finding]] = defaultdict(list)
    for finding in survey.findings:
        for image in finding.images:
            by_image[image].append(finding)
    chosen = sorted(survey.entries, key=lambda each: _rank(by_image.get(each.name, [])))[:most]
    tiles = [_tile(each, by_image.get(each.name, [])) for each in chosen]
    write_png8(folder / NAME, _grid(tiles))
    return len(tiles)


def _rank(findings: Sequence[Finding]) -> int:
    severities = {each.severity for each in findings}
    return 0 if "error" in severities else 1 if severities else 2


def _tile(entry: Entry, findings: Sequence[Finding]) -> Pixels:
    """The pictures of one image in a row under its name, in a frame."""
    width, height = CELL
    colour = _COLOURS[("error", "warning", "")[_rank(findings)]]
    size = (4 * width + 2 * _FRAME, height + _CAPTION + 2 * _FRAME)
    tile = Image.new("RGB", size, colour)
    tile.paste((24, 24, 24), (_FRAME, _FRAME, size[0] - _FRAME, size[1] - _FRAME))
    kinds = ", ".join(dict.fromkeys(each.kind for each in findings))
    text = f"{kinds}  {entry.name[-60:]}" if kinds else entry.name[-_LETTERS:]
    # The built-in font has no letters beyond these.
    text = text[:_LETTERS].encode("ascii", "replace").decode()
    ImageDraw.Draw(tile).text((_FRAME + 4, _FRAME + 2), text, fill=(255, 255, 255))
    for place, picture in enumerate(_pictures(entry)):
        shown = Image.fromarray(picture)
        shown.thumbnail(CELL)
        left = _FRAME + place * width + (width - shown.width) // 2
        tile.paste(shown, (left, _FRAME + _CAPTION + (height - shown.height) // 2))
    return np.array(tile)


def _pictures(entry: Entry) -> list[Pixels]:
    """What can be shown of an image: all four, or the picture alone, or nothing."""
    try:
        frame = load(entry.row, entry.declaration)
    except InputError:
        return _alone(entry.row.image)
    small = reduce(frame)
    valid = small.valid.numpy()
    blank = np.zeros((*valid.shape, 3), np.uint8)
    image = (small.image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    vectors = small.normals.permute(1, 2, 0).contiguous()
    return [
        image,
        depth_preview(_even(small), valid) if entry.row.depth else blank,
        normals_preview(vectors.numpy(), vectors.any(dim=-1).numpy())
        if frame.has_normals
        else blank,
        _mask(small),
    ]


def _alone(path: Path) -> list[Pixels]:
    try:
        pixels = photo.read(path).pixels
    except InputError:
        return []
    top = full_scale(pixels)
    return [np.rint(pixels * (255 / top)).astype(np.uint8)]


def _even(small: Reduced) -> Float[np.ndarray, "height width"]:
    """Depths in a scale that shows a street near and far: their logarithm, where they have one."""
    above = small.depth_m > 0
    if bool((small.valid & ~above).any()):
        return small.depth_m.numpy()
    return small.depth_m.where(above, 1.0).log().numpy()


def _mask(small: Reduced) -> Pixels:
    mask = np.zeros((*small.valid.shape, 3), np.uint8)
    mask[small.sky.numpy()] = _MASK["sky"]
    mask[small.valid.numpy()] = _MASK["valid"]
    return mask


def _grid(
    tiles: Sequence[Pixels],
) -> UInt8[np.ndarray, "sheet_height sheet_width 3"]:
    columns = 2 if len(tiles) > 4 else 1
    blank = np.full_like(tiles[0], 255)
    padded = [*tiles, *[blank] * (-len(tiles) % columns)]
    rows = [np.concatenate(padded[k : k + columns], axis=1) for k in range(0, len(padded), columns)]
    return np.concatenate(rows)
