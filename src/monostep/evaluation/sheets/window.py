"""The part of an image that a sheet shows enlarged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from monostep.evaluation.sheets.row import Map, SheetRow

SHARE = 0.25  # of the image's height and width
_LOOKED_PX = 512  # about the longer side at which contenders are compared
_MOST = 0.25  # a difference this large counts no more: one distant pixel must not decide


@dataclass(frozen=True, kw_only=True)
class Window:
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int

    def cut(self, values: Tensor) -> Tensor:
        """What of an image or map, whose last axes are rows and columns, lies inside."""
        rows = values.narrow(-2, self.top, self.height)
        return rows.narrow(-1, self.left, self.width)

    def cut_row(self, row: SheetRow) -> SheetRow:
        """The image, the truth and all maps inside the window."""
        maps = [
            each if each.values is None else replace(each, values=self.cut(each.values))
            for each in row.maps
        ]
        image, truth, valid = (self.cut(each) for each in (row.image, row.truth, row.valid))
        return replace(row, image=image, truth=truth, valid=valid, maps=maps)

    def __str__(self) -> str:
        return f"{self.top},{self.left},{self.height},{self.width}"


def where_they_differ(row: SheetRow, *, share: float = SHARE) -> Window:
    """The window inside which contenders differ most where the truth is judged.

    A single contender is compared with the truth. Depths differ by their logarithms, normals by how
    short their mean is; both up to a limit.
    """
    maps = [each.values for each in row.maps if each.values is not None]
    if len(maps) < 2:
        maps = [row.truth, *maps]
    height, width = row.valid.shape
    step = max(1, round(max(height, width) / _LOOKED_PX))
    seen = row.valid[::step, ::step]
    difference = _difference([each[..., ::step, ::step] for each in maps])
    size = [max(1, round(share * side)) for side in seen.shape]
    top, left = _fullest(torch.where(seen, difference.clamp(max=_MOST), 0), size)
    shown = [min(side, extent * step) for side, extent in zip((height, width), size, strict=True)]
    return Window(
        top=min(top * step, height - shown[0]),
        left=min(left * step, width - shown[1]),
        height=shown[0],
        width=shown[1],
    )


def _difference(maps: Sequence[Map]) -> Float[Tensor, "height width"]:
    if maps[0].ndim == 3:
        mean = torch.stack([normalize(each.double(), dim=0) for each in maps]).mean(dim=0)
        return 1 - torch.linalg.vector_norm(mean, dim=0)
    logarithms = torch.stack([each.double().clamp_min(1e-6).log() for each in maps])
    return logarithms.amax(dim=0) - logarithms.amin(dim=0)


def _fullest(values: Float[Tensor, "height width"], size: Sequence[int]) -> tuple[int, int]:
    """Top and left of the window of that size with the largest sum; the first of equal ones."""
    height, width = values.shape
    sums = torch.zeros(height + 1, width + 1, dtype=torch.float64)
    sums[1:, 1:] = values.double().cumsum(dim=0).cumsum(dim=1)
    rows, columns = size
    inside = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns]
    inside += sums[:-rows, :-columns]
    place = int(inside.argmax())
    return divmod(place, inside.shape[1])
