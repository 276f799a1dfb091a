"""Rows of a sheet as pixels: pictures of one width side by side, with text above and below."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from monostep.evaluation.sheets import colours as sheet_colours
from monostep.evaluation.sheets.row import Map, NamedMap, SheetRow
from monostep.evaluation.sheets.window import Window, where_they_differ

CELL = (320, 360)  # most pixels of a picture, width and height
GAP = 4  # white pixels right of and below a picture
TEXT = 15  # pixels of height of a line
_LETTER = 6  # pixels of width, about
_INK, _FRAME = (20, 20, 20), (255, 40, 40)

Pixels = UInt8[np.ndarray, "_ _ 3"]
Size = tuple[int, int]


def heading(row: SheetRow, *, cropped: bool) -> Pixels:
    """What the columns hold, for all rows alike."""
    if row.truth.ndim == 3:
        unit = f"{sheet_colours.TOP_ANGLE_DEG:g} degrees"
    else:
        unit = f"{100 * sheet_colours.TOP_DEPTH_ERROR:g} %"
    names = [*(["image"] if cropped else []), "image", "truth"]
    for each in row.maps:
        names += [each.name, f"error, red: {unit}"]
    return np.concatenate([_text(name, CELL[0] + GAP) for name in names], axis=1)


def strip(row: SheetRow, metric: str, *, cropped: bool) -> Pixels:
    """The title, the pictures, and below each contender's map its score."""
    pictures, title = [], row.title
    if cropped:
        window = where_they_differ(row)
        pictures.append(_framed(row, window))
        row, title = window.cut_row(row), f"{title}  [{window}]"
    pictures += _pictures(row)
    captions = [""] * (len(pictures) - 2 * len(row.maps))
    for each in row.maps:
        captions += [_score(each, metric), ""]
    height = max(len(picture) for picture in pictures)
    columns = [
        np.concatenate([_padded(picture, height), _text(caption, CELL[0] + GAP)])
        for picture, caption in zip(pictures, captions, strict=True)
    ]
    line = np.concatenate(columns, axis=1)
    return np.concatenate([_text(title, line.shape[1]), line])


def _pictures(row: SheetRow) -> list[Pixels]:
    size = (row.valid.shape[0], row.valid.shape[1])
    shown, step = _shown(size)
    is_depth = row.truth.ndim == 2
    range_m = sheet_colours.depth_range(row.truth, row.valid) if is_depth else None
    pictures = [
        sheet_colours.photo_pixels(row.image, step),
        sheet_colours.map_pixels(row.truth, row.valid, step, range_m),
    ]
    for each in row.maps:
        if each.values is None:
            pictures += [np.zeros((1, 1, 3), np.uint8)] * 2
        else:
            pictures.append(sheet_colours.map_pixels(each.values, None, step, range_m))
            pictures.append(_error(each.values, row, step))
    return [_resized(picture, shown) for picture in pictures]


def _error(values: Map, row: SheetRow, step: int) -> Pixels:
    return sheet_colours.error_pixels(values, row.truth, row.valid, step)


def _framed(row: SheetRow, window: Window) -> Pixels:
    """The whole image with a frame around the window."""
    size = (row.valid.shape[0], row.valid.shape[1])
    shown, step = _shown(size)
    picture = Image.fromarray(_resized(sheet_colours.photo_pixels(row.image, step), shown))
    down, across = shown[0] / size[0], shown[1] / size[1]
    left, top = round(window.left * across), round(window.top * down)
    right = round((window.left + window.width) * across) - 1
    bottom = round((window.top + window.height) * down) - 1
    box = (left, top, max(left, right), max(top, bottom))
    ImageDraw.Draw(picture).rectangle(box, outline=_FRAME, width=2)
    return np.asarray(picture)


def _shown(size: Size) -> tuple[Size, int]:
    """Height and width on the sheet, and the side of the blocks that are averaged before."""
    scale = min(CELL[1] / size[0], CELL[0] / size[1])
    shown = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return shown, max(1, min(int(1 / scale), *size))


def _resized(picture: Pixels, shown: Size) -> Pixels:
    """Larger pixels stay squares: a sheet shows what is there, not what smoothing makes of it."""
    size = (shown[1], shown[0])
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _padded(picture: Pixels, height: int) -> Pixels:
    padded = np.full((height, CELL[0] + GAP, 3), 255, np.uint8)
    padded[: len(picture), : picture.shape[1]] = picture
    return padded


def _text(text: str, width: int) -> Pixels:
    line = Image.new("RGB", (width, TEXT), "white")
    # The built-in font has no letters beyond these.
    shown = text.encode("ascii", "replace").decode()[: max(1, width // _LETTER)]
    ImageDraw.Draw(line).text((1, 1), shown, fill=_INK)
    return np.asarray(line)


def _score(each: NamedMap, metric: str) -> str:
    if each.values is None:
        return "no prediction"
    return f"{metric} {each.score:.4g}" if each.score is not None else ""
