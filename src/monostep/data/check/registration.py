"""Depth that does not lie on its picture: shifted, mirrored, or of another picture.

Where a surface ends or turns, the inverse depth bends, and mostly the colour changes too. So the
two edge maps correlate best where the maps lie on each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from monostep.data.check.findings import Finding

Turn = Literal["upright", "mirrored", "upside down", "rotated by 180 degrees"]
TURNS: tuple[Turn, ...] = get_args(Turn)
_AXES: Mapping[Turn, tuple[int, ...]] = {
    "upright": (),
    "mirrored": (1,),
    "upside down": (0,),
    "rotated by 180 degrees": (0, 1),
}
REACH = 0.09  # shifts that are tried, as a share of the longer side
SMALLEST_PX = 32  # images below this have too few edges
NEAR_PX = 2  # real cameras are off by this much at about 256 pixels
# One image: the best correlation, and how far it must be above the one in place. None of 328 clean
# renders passes, and 83 % of them do once the depth is moved by 8 px.
CLEAR, GAIN = 0.15, 0.1
# All images together: chance adds up less, so less is enough.
CLEAR_OF_ALL, GAIN_OF_ALL = 0.06, 0.04
FEWEST = 3
_WINDOW_PX = 31  # edges count by how far they stand out of such a neighbourhood
_FAST = 64  # multiple of sizes whose Fourier transforms are fast
_MOST_BEND = 0.5  # of the inverse depth: more is an edge like any other
_BORDER = 0.2  # weight of the border of the valid pixels
_FAR = 0.8  # share of the largest depth from which the border may be that of a limit
_STRAIGHT = 0.5  # share of a row or column that changes to or from valid at once

Map = Float[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlap:
    """Correlation of the edges for every shift of the depth, and in place for every turn of it."""

    shifted: Float[Tensor, "rows columns"]  # the middle: no shift
    turned: Mapping[Turn, float]
    width: int  # of the image, to say shifts as shares

    @property
    def placed(self) -> float:
        """The correlation as the maps lie, or within `NEAR_PX` of it."""
        return self.turned["upright"]

    def best(self) -> tuple[float, int, int]:
        """The highest correlation, and by how many pixels down and right the depth must move."""
        flat = int(self.shifted.argmax())
        rows, columns = self.shifted.shape
        return (
            float(self.shifted.max()),
            flat // columns - rows // 2,
            flat % columns - columns // 2,
        )


@dataclass(frozen=True, kw_only=True)
class Better:
    """In words, and by which correlations."""

    how: str
    numbers: Mapping[str, float]


def measure(
    image: Float[Tensor, "3 height width"], depth: Map, valid: Mask, *, relative: bool
) -> Overlap | None:
    """Correlate the edges of the image with those of the depth; None for tiny images."""
    if min(depth.shape) < SMALLEST_PX:
        return None
    reach = max(NEAR_PX + 2, round(REACH * max(depth.shape)))
    picture = _standing_out(_colour_edges(image))
    surface = _standing_out(_edges(depth, valid, relative=relative))
    turned = torch.stack([surface.flip(_AXES[turn]) for turn in TURNS])
    every = _correlate(picture, turned, reach)
    near = slice(reach - NEAR_PX, reach + NEAR_PX + 1)
    return Overlap(
        shifted=every[TURNS.index("upright")].half(),
        turned=dict(zip(TURNS, every[:, near, near].amax(dim=(1, 2)).tolist(), strict=True)),
        width=depth.shape[1],
    )


def find(manifest: str, overlaps: Mapping[str, Overlap]) -> list[Finding]:
    """The whole set if its depth lies better elsewhere, or else the images where it does."""
    if len(overlaps) >= FEWEST:
        mean = _mean(list(overlaps.values()))
        if better := _better(mean, clear=CLEAR_OF_ALL, gain=GAIN_OF_ALL):
            return [_finding(manifest, tuple(overlaps), better)]
    wrong = {name: _better(each, clear=CLEAR, gain=GAIN) for name, each in overlaps.items()}
    return [_finding(manifest, (name,), better) for name, better in wrong.items() if better]


def _better(overlap: Overlap, *, clear: float, gain: float) -> Better | None:
    """How the depth lies better, and by which numbers; None if it lies well."""
    enough = max(clear, overlap.placed + gain)
    highest, down, right = overlap.best()
    if highest >= enough:
        moved = f"moved by {right} px to the right and {down} px down (of {overlap.width})"
        shift = {"down_px": down, "right_px": right, "width_px": overlap.width}
        return Better(how=moved, numbers={"in_place": overlap.placed, "best": highest, **shift})
    turn = max(TURNS, key=lambda each: overlap.turned[each])
    highest = overlap.turned[turn]
    if highest >= enough:
        return Better(how=turn, numbers={"in_place": overlap.placed, "best": highest})
    return None


def _finding(manifest: str, images: tuple[str, ...], better: Better) -> Finding:
    numbers = better.numbers
    return Finding(
        kind="registration",
        severity="error",
        manifest=manifest,
        images=images,
        message=(
            f"edges of depth and picture correlate at {numbers['in_place']:.2f} in place, but "
            f"at {numbers['best']:.2f} with the depth {better.how}; bring them together"
        ),
        numbers=numbers,
    )


def _mean(overlaps: list[Overlap]) -> Overlap:
    """The mean over images; of those of the commonest size, since shifts are in pixels."""
    shapes = [each.shifted.shape for each in overlaps]
    commonest = max(shapes, key=shapes.count)
    alike = [each for each in overlaps if each.shifted.shape == commonest]
    return Overlap(
        shifted=torch.stack([each.shifted.float() for each in alike]).mean(dim=0),
        turned={t: sum(each.turned[t] for each in alike) / len(alike) for t in TURNS},
        width=alike[0].width,
    )


def _colour_edges(image: Float[Tensor, "3 height width"]) -> Map:
    return torch.stack([_step(channel) for channel in image]).amax(dim=0)


def _edges(depth: Map, valid: Mask, *, relative: bool) -> Map:
    """Where the inverse depth bends: planes vanish, jumps and creases stay.

    Relative depth has no inverse; its own bend is the next best.
    """
    known = depth if relative else 1 / depth.clamp_min(1e-6)
    known = torch.where(valid, known, torch.nan)
    size = known[valid].std() if relative and valid.sum() > 1 else known
    bend = torch.maximum(_bend(known), _bend(known.T).T) / size
    return torch.maximum(
        torch.nan_to_num(bend, nan=0.0, posinf=0.0).clamp(0, _MOST_BEND),
        _BORDER * _border(valid, depth),
    )


def _border(valid: Mask, depth: Map) -> Map:
    """The border of the valid pixels, but not where it is a straight line along rows or columns.

    That is the horizon, or where a sensor or a crop ends, which the picture does not show. Nor does
    it show where depth reaches the largest that a sensor or a limit lets through.
    """
    down, across = valid.diff(dim=0), valid.diff(dim=1)
    down = down & (down.float().mean(dim=1, keepdim=True) < _STRAIGHT)
    across = across & (across.float().mean(dim=0, keepdim=True) < _STRAIGHT)
    reached = torch.where(valid, depth, -torch.inf)
    far = reached >= _FAR * reached.max()
    down = down & ~(far[1:] | far[:-1])
    across = across & ~(far[:, 1:] | far[:, :-1])
    border = torch.zeros_like(valid)
    border[1:] |= down
    border[:-1] |= down
    border[:, 1:] |= across
    border[:, :-1] |= across
    return border.float()


def _bend(values: Map) -> Map:
    """Absolute second difference along the rows; 0 at the ends, and beside what is not known."""
    bend = torch.zeros_like(values)
    bend[:, 1:-1] = (values[:, 2:] - 2 * values[:, 1:-1] + values[:, :-2]).abs()
    return torch.nan_to_num(bend, nan=0.0)


def _step(values: Map) -> Map:
    """Largest absolute difference to a neighbour."""
    step = torch.zeros_like(values)
    for from_here, to_there in ((step, values), (step.T, values.T)):
        change = to_there.diff(dim=1).abs()
        from_here[:, 1:] = torch.maximum(from_here[:, 1:], change)
        from_here[:, :-1] = torch.maximum(from_here[:, :-1], change)
    return step


def _standing_out(edges: Map) -> Map:
    """Edges with their sizes evened out, minus what is usual around them."""
    even = torch.log1p(edges / (edges.mean() + 1e-9))
    usual = _usual(_usual(even).T).T
    return even - usual


def _usual(values: Map) -> Map:
    """The mean along the rows of what is in the window, and in the image."""
    return avg_pool2d(
        values[None],
        (1, _WINDOW_PX),
        stride=1,
        padding=(0, _WINDOW_PX // 2),
        count_include_pad=False,
    )[0]


def _correlate(
    picture: Map, surfaces: Float[Tensor, "turns height width"], reach: int
) -> Float[Tensor, "turns rows columns"]:
    """Normalised correlation for shifts of the second maps of up to `reach` each way."""
    # Zeros beyond the border, so that nothing wraps around; then up to where transforms are fast.
    size = [_FAST * ceil((side + reach) / _FAST) for side in picture.shape]
    spectra = torch.fft.rfft2(picture, size) * torch.fft.rfft2(surfaces, size).conj()
    every = torch.fft.irfft2(spectra, size) / (picture.norm() * surfaces[0].norm() + 1e-9)
    return every.roll((reach, reach), (1, 2))[:, : 2 * reach + 1, : 2 * reach + 1]
