"""The one photograph with true depth that reaches every machine: Middlebury's motorcycle.

Source: Scharstein et al., "High-resolution stereo datasets with subpixel-accurate ground truth"
(GCPR 2014), at a quarter of its size, as scikit-image ships it inside its wheel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.errors import MissingExtraError
from monostep.evaluation.case import Case
from monostep.evaluation.rules import DepthRules, Input, Rules, Task
from monostep.files import photo

FOCAL_PX = 994.978
BASELINE_M = 0.193001
OFFSET_PX = 31.086  # difference of the two cameras' principal points
LEAST_M = 1e-3  # aligned depth is raised to this
LEFT, DISPARITY = "motorcycle_left.png", "motorcycle_disp.npz"


@dataclass(frozen=True, kw_only=True)
class Motorcycle:
    """Protocol `motorcycle-1`: the left image with its depth in metres.

    Raises:
        MissingExtraError: scikit-image, whose wheel holds the files, is not installed.
    """

    folder: Path | None = None  # None: scikit-image's own

    name = "motorcycle"
    protocol = "motorcycle-1"
    beside_baselines = True  # no paper gives numbers to compare with
    names: Sequence[str] = ("motorcycle",)

    def __post_init__(self) -> None:
        """Look for the files at once, before a model is loaded for nothing."""
        self._files()

    @property
    def rules(self) -> Mapping[Task, Rules]:
        """Its depth alone is known."""
        shown = Input(domain="indoor")
        return {"depth": DepthRules(protocol=self.protocol, input=shown, near_m=LEAST_M)}

    def load(self, index: int, *, image: bool = True) -> Case:
        """The one case; IndexError for another."""
        left, disparities = self._files()
        depth_m, known = _depth(disparities)
        pixels = photo.read(left).pixels.astype(np.float32) / 255 if image else None
        return Case(
            name=self.names[index],
            stratum="photograph",
            image=None if pixels is None else torch.from_numpy(pixels).permute(2, 0, 1),
            depth_m=depth_m,
            depth_valid=known,
        )

    def about(self) -> Mapping[str, Any]:
        """Where the picture and its metres come from."""
        return {
            "images": 1,
            "source": "Middlebury 2014 Motorcycle, a quarter of its size, from scikit-image",
            "focal_px": FOCAL_PX,
            "baseline_m": BASELINE_M,
            "offset_px": OFFSET_PX,
        }

    def _files(self) -> tuple[Path, Path]:
        folder = self.folder or _installed()
        left, disparities = folder / LEFT, folder / DISPARITY
        if not (left.is_file() and disparities.is_file()):
            raise MissingExtraError(
                f"{folder}: {LEFT} and {DISPARITY} are not both there; "
                "pip install scikit-image brings them"
            )
        return left, disparities


def _depth(path: Path) -> tuple[Float[Tensor, "height width"], Bool[Tensor, "height width"]]:
    """Metres of the stored disparities, 0 where there is none, and where there is one."""
    with np.load(path) as file:
        disparity_px = torch.from_numpy(file["arr_0"])
    known = torch.isfinite(disparity_px)
    metres = FOCAL_PX * BASELINE_M / (torch.where(known, disparity_px, 0) + OFFSET_PX)
    return torch.where(known, metres, 0), known


def _installed() -> Path:
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise MissingExtraError(
            "the motorcycle photograph comes with scikit-image, which is not installed: "
            "pip install scikit-image"
        )
    return Path(package.origin).parent / "data"
