"""What a depth, normal or uncertainty map is called inside files, and the laws of its array."""

from dataclasses import dataclass

import numpy as np

from monostep.errors import InputError, OutputError


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Names of one kind of map: entry in .npz, channels in .exr (ours first, then others')."""

    entry: str
    exr_channels: tuple[str, ...]
    foreign_channels: tuple[tuple[str, ...], ...]
    axes: str

    @property
    def channels(self) -> int:
        """Values per pixel."""
        return len(self.exr_channels)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Tell whether an array of this shape is such a map with at least one pixel."""
        tail = () if self.channels == 1 else (self.channels,)
        return len(shape) == 2 + len(tail) and shape[2:] == tail and 0 not in shape


DEPTH = Layout(
    entry="depth", exr_channels=("Z",), foreign_channels=(("Y",), ("R",)), axes="[height, width]"
)
NORMALS = Layout(
    entry="normals",
    exr_channels=("N.x", "N.y", "N.z"),
    foreign_channels=(("N.X", "N.Y", "N.Z"), ("X", "Y", "Z"), ("R", "G", "B")),
    axes="[height, width, 3]",
)
UNCERTAINTY = Layout(
    entry="uncertainty",
    exr_channels=("uncertainty",),
    foreign_channels=(("Y",), ("R",)),
    axes="[height, width]",
)


def check_for_writing(values: np.ndarray, layout: Layout, where: str) -> None:
    """Refuse to write what is not a float32 array of the layout's shape (raises OutputError)."""
    if values.dtype != np.float32 or not layout.fits(values.shape):
        raise OutputError(
            f"{where}: a {layout.entry} map is float32 {layout.axes}, "
            f"got {values.dtype} {list(values.shape)}"
        )


def from_reading(values: np.ndarray, layout: Layout, where: str) -> np.ndarray:
    """Return a read array as float32 of the layout's shape (raises InputError)."""
    if values.dtype.kind not in "fiu" or not layout.fits(values.shape):
        raise InputError(
            f"{where}: expected numbers {layout.axes} for {layout.entry}, "
            f"got {values.dtype} {list(values.shape)}"
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        return np.ascontiguousarray(values, dtype=np.float32)
