"""A trajectory on disk: every step's map, the spread, the numbers, and one picture of it all."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from monostep.files import maps
from monostep.files.atomic import write_json
from monostep.files.preview import side_by_side, write_png8
from monostep.inspection.trajectory import Trajectory

_MOST_SHOWN = 6  # steps in the picture's row; the files hold all
_TILE = (160, 240)  # pixels, height and largest width
_TITLE = 16  # pixels of height above a tile


def write(
    trajectories: Sequence[Trajectory],
    photo: UInt8[np.ndarray, "height width 3"],
    folder: Path,
    stem: str,
) -> list[Path]:
    """Write everything below `folder`; the paths, the picture last.

    Raises:
        OutputError: a file cannot be written.
    """
    written = []
    for trajectory in trajectories:
        written += _write_maps(trajectory, folder / f"{stem}.{trajectory.name}")
    numbers = folder / f"{stem}.trajectory.json"
    write_json(numbers, {each.name: each.numbers() for each in trajectories})
    picture = folder / f"{stem}.trajectory.png"
    write_png8(picture, draw(trajectories, photo))
    return [*written, numbers, picture]


def draw(
    trajectories: Sequence[Trajectory], photo: UInt8[np.ndarray, "height width 3"]
) -> UInt8[np.ndarray, "picture_height picture_width 3"]:
    """A row for each way: photo, steps from first to last, spread (one scale for a kind of map)."""
    most: dict[str, float] = {}
    for each in trajectories:
        most[each.kind] = max(most.get(each.kind, 0.0), float(each.spread.max()))
    rows = []
    for each in trajectories:
        shown = _shown(len(each.results))
        tiles = [_titled(photo, each.name)]
        tiles += [_titled(each.results[i].preview(), f"t = {each.times[i]}") for i in shown]
        spread = each.spread.float().cpu().numpy()
        tiles.append(
            _titled(_shade(spread / (most[each.kind] or 1.0)), f"spread {spread.mean():.3g}")
        )
        rows.append(side_by_side(*tiles))
    return np.concatenate(rows)


def _write_maps(trajectory: Trajectory, folder: Path) -> list[Path]:
    for old in folder.glob("step*.t*.*"):  # of an earlier run with other steps
        old.unlink()
    written = []
    for number, (time, result) in enumerate(
        zip(trajectory.times, trajectory.results, strict=True), start=1
    ):
        path = folder / f"step{number:02}.t{time:03}.npy"
        result.save(path)
        write_png8(path.with_suffix(".preview.png"), result.preview())
        written += [path, path.with_suffix(".json"), path.with_suffix(".preview.png")]
    spread = folder / "spread.npy"
    unit = trajectory.numbers()["unit"]
    maps.write_depth(spread, trajectory.spread.float().cpu().numpy(), {"unit": unit})
    return [*written, spread]


def _shown(count: int) -> list[int]:
    """The first and the last and others at equal distances."""
    return sorted({int(i) for i in np.linspace(0, count - 1, min(count, _MOST_SHOWN)).round()})


def _shade(values: Float[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width 3"]:
    grey = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _titled(
    picture: UInt8[np.ndarray, "height width 3"], title: str
) -> UInt8[np.ndarray, "titled_height tile_width 3"]:
    height, width = picture.shape[:2]
    scale = min(_TILE[0] / height, _TILE[1] / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    tile = Image.new("RGB", (max(size[0], _TILE[0]), _TILE[0] + _TITLE), "white")
    tile.paste(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR), (0, _TITLE))
    ImageDraw.Draw(tile).text((1, 1), title, fill="black", font=ImageFont.load_default())
    return np.asarray(tile)
