"""The report's figures: PNG files beside it, equal for equal results.

steps-KIND.png      error against the number of steps, for both spacings
path-KIND.png       error of the estimate after each of 50 steps
deviation.png       how far the members of an ensemble are apart after some steps
scenes.png          error against the number of training scenes
"""

import io
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from monostep.errors import MissingExtraError
from monostep.files.atomic import replacing
from monostep.reproduction.collected import Collected
from monostep.reproduction.study import of_scenes
from monostep.reproduction.trials import PATH, STEPS, Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"trailing": "tab:blue", "leading": "tab:red"}
ERROR = {"depth": "AbsRel", "normals": "mean angle, degrees"}
DPI = 80


def draw(
    collected: Collected, folder: Path, *, seed: int = 0, scenes: Sequence[int] = ()
) -> list[Path]:
    """Draw what there are results for.

    Args:
        collected: the study's results.
        folder: where the files go.
        seed: whose deviations are drawn.
        scenes: numbers of training scenes that were compared.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    drawn: dict[str, Figure | None] = {}
    for kind in ("depth", "normals"):
        drawn[f"steps-{kind}.png"] = against_steps(collected, kind)
        drawn[f"path-{kind}.png"] = along_path(collected, kind)
    drawn["deviation.png"] = deviations(collected.folder / f"depth-{seed}.deviation.npz")
    drawn["scenes.png"] = against_scenes(collected, scenes)
    return [_save(figure, folder / name) for name, figure in drawn.items() if figure is not None]


def against_steps(collected: Collected, kind: Kind) -> "Figure | None":
    """Seeds as thin lines, their mean as a thick one, E2E as a level."""
    known = {
        spacing: [steps for steps in STEPS if collected.found(f"{kind}-{{seed}}.{spacing}-{steps}")]
        for spacing in COLOURS
    }
    if not any(known.values()):
        return None
    figure, axes = _axes("steps", ERROR[kind])
    for spacing, steps in known.items():
        names = [f"{kind}-{{seed}}.{spacing}-{number}" for number in steps]
        _lines(axes, collected, names, steps, COLOURS[spacing], spacing)
    once = f"e2e-{kind}-{{seed}}.once"
    if collected.found(once):
        level = float(np.mean(_means(collected, once)))
        axes.axhline(level, color="tab:green", linestyle="--", label="E2E, one step")
    axes.set(xscale="log", yscale="log", xticks=STEPS, xticklabels=STEPS)
    axes.legend()
    return figure


def along_path(collected: Collected, kind: Kind) -> "Figure | None":
    """The estimate of the clean map after each of the trailing steps."""
    name = f"{kind}-{{seed}}.path"
    seeds = collected.found(name)
    if not seeds:
        return None
    figure, axes = _axes(f"step of {PATH}, trailing", ERROR[kind])
    steps = range(1, PATH + 1)
    errors = np.array(
        [
            [collected.scores(name, seed).columns[f"step_{k}"].mean() for k in steps]
            for seed in seeds
        ]
    )
    for one in errors:
        axes.plot(steps, one, color=COLOURS["trailing"], linewidth=0.6, alpha=0.6)
    axes.plot(steps, errors.mean(axis=0), color=COLOURS["trailing"], linewidth=2)
    axes.set_ylim(bottom=0)
    return figure


def against_scenes(collected: Collected, scenes: Sequence[int]) -> "Figure | None":
    """E2E from the base model, trained on so many scenes in as many steps."""
    names = {count: f"{of_scenes(count)}-{{seed}}.once" for count in scenes}
    known = {count: name for count, name in names.items() if collected.found(name)}
    if len(known) < 2:  # a point is no curve
        return None
    figure, axes = _axes("training scenes to draw from", ERROR["depth"])
    _lines(axes, collected, list(known.values()), list(known), "tab:green", "E2E, base")
    axes.set(xscale="log")
    return figure


def deviations(file: Path) -> "Figure | None":
    """Scenes as pairs of rows, trailing above leading; one scale of grey for all maps."""
    if not file.is_file():
        return None
    with np.load(file, allow_pickle=False) as maps:
        image, steps = maps["image"], maps["steps"]
        spacings = {name: maps[name] for name in ("trailing", "leading")}
    largest = max(float(each.max()) for each in spacings.values())
    rows, columns = len(image) * len(spacings), len(steps) + 1
    figure, grid = _subplots(rows, columns, size=(1.0 * columns, 0.85 * rows))
    for row in range(rows):
        scene, spacing = row // len(spacings), tuple(spacings)[row % len(spacings)]
        grid[row][0].imshow(image[scene])
        grid[row][0].set_ylabel(spacing, fontsize=7)
        for column, found in enumerate(spacings[spacing][scene], start=1):
            grid[row][column].imshow(found, cmap="gray", vmin=0, vmax=largest)
    for column, number in enumerate(steps, start=1):
        grid[0][column].set_title(f"step {number}", fontsize=7)
    for axes in (each for line in grid for each in line):
        axes.set(xticks=[], yticks=[])
    return figure


def _lines(
    axes: "Axes",
    collected: Collected,
    names: list[str],
    places: list[int],
    colour: str,
    label: str,
) -> None:
    """A thin line for each seed that has all of the points, and a thick one of the means."""
    means = [_by_seed(collected, name) for name in names]
    for seed in collected.seeds:
        if means and all(seed in each for each in means):
            own = [each[seed] for each in means]
            axes.plot(places, own, color=colour, linewidth=0.6, alpha=0.6)
    middle = [float(np.mean(list(each.values()))) for each in means]
    axes.plot(places, middle, color=colour, linewidth=2, marker="o", markersize=3, label=label)


def _by_seed(collected: Collected, name: str) -> dict[int, float]:
    return {
        seed: float(collected.scores(name, seed).columns["error"].mean())
        for seed in collected.found(name)
    }


def _means(collected: Collected, name: str) -> Float[np.ndarray, " seed"]:
    return np.array(list(_by_seed(collected, name).values()))


def _axes(along: str, up: str) -> "tuple[Figure, Axes]":
    figure, ((axes,),) = _subplots(1, 1, size=(4.5, 3.2))
    axes.set(xlabel=along, ylabel=up)
    axes.minorticks_off()
    return figure, axes


def _subplots(rows: int, columns: int, *, size: tuple[float, float]) -> "tuple[Figure, Any]":
    make = _matplotlib()
    figure = make(figsize=size, dpi=DPI, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _matplotlib() -> "Callable[..., Figure]":
    if find_spec("matplotlib") is None:
        raise MissingExtraError(
            "the report's figures need the package matplotlib: pip install 'monostep[reproduce]'"
        )
    from matplotlib.figure import Figure

    return Figure


def _save(figure: "Figure", path: Path) -> Path:
    """In 64 colours and without a date, so that files are small and equal figures equal files."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(buffer) as picture, replacing(path) as temporary:
        picture.convert("RGB").quantize(64).save(temporary, format="PNG", optimize=True)
    return path
