"""Rendered scenes kept on disk: a scene is a pure function, so it need be rendered only once."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from monostep.data.procedural import VERSION, render
from monostep.data.samples import Samples

Renderer = Callable[[int, Sequence[int], tuple[int, int]], Samples]


class SceneCache:
    """The first `count` scenes of a seed, rendered on demand; with a folder, at most once."""

    def __init__(
        self, seed: int, count: int, *, folder: str | None, renderer: Renderer = render
    ) -> None:
        self.seed = seed
        self.count = count
        self.folder = None if folder is None else Path(folder)
        self.renderer = renderer
        self._arrays: dict[tuple[int, int], dict[str, np.ndarray]] = {}

    def name(self, index: int) -> str:
        """What to call a scene in a message."""
        return f"scene {index} of seed {self.seed}"

    def fetch(self, indices: Sequence[int], size: tuple[int, int]) -> Samples:
        """The scenes of these indices at this (height, width), as one batch."""
        if self.folder is None:
            return self.renderer(self.seed, indices, size)
        arrays = self._open(size)
        missing = [index for index in dict.fromkeys(indices) if not arrays["done"][index]]
        if missing:
            self._store(arrays, missing, self.renderer(self.seed, missing, size))
        rows = list(indices)
        return Samples(
            **{
                name: torch.from_numpy(array[rows])
                for name, array in arrays.items()
                if name != "done"
            }
        )

    def _store(self, arrays: dict[str, np.ndarray], rows: list[int], rendered: Samples) -> None:
        for name, array in arrays.items():
            if name != "done":
                array[rows] = getattr(rendered, name).numpy()
        # Last, so that an interrupted run renders again what it may have left half written.
        arrays["done"][rows] = True

    def _open(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        if size not in self._arrays:
            self._arrays[size] = self._map(size)
        return self._arrays[size]

    def _map(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        assert self.folder is not None
        height, width = size
        layout: dict[str, tuple[type, tuple[int, ...]]] = {
            "image": (np.float32, (3, height, width)),
            "depth_m": (np.float32, (height, width)),
            "normals": (np.float32, (3, height, width)),
            "valid": (np.bool_, (height, width)),
            "sky": (np.bool_, (height, width)),
            "intrinsics": (np.float32, (3, 3)),
            "kind": (np.int64, ()),
            "done": (np.bool_, ()),
        }
        place = self.folder / f"v{VERSION}-seed{self.seed}-{self.count}-{height}x{width}"
        shapes = {name: (dtype, (self.count, *shape)) for name, (dtype, shape) in layout.items()}
        if not place.is_dir():
            _create(place, shapes)
        return {
            name: np.lib.format.open_memmap(place / f"{name}.npy", mode="r+") for name in shapes
        }


def _create(place: Path, shapes: Mapping[str, tuple[type, tuple[int, ...]]]) -> None:
    """Make the folder with empty arrays, whole at once: other processes may want it, too."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".monostep-", dir=place.parent) as folder:
        whole = Path(folder) / place.name
        whole.mkdir()  # by the umask; the temporary folder is its owner's alone
        for name, (dtype, shape) in shapes.items():
            np.lib.format.open_memmap(
                whole / f"{name}.npy", mode="w+", dtype=dtype, shape=shape
            ).flush()
        try:
            whole.rename(place)
        except OSError:
            if not place.is_dir():  # nobody else was faster
                raise
