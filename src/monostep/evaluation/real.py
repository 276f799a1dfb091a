"""The one photograph with true depth that reaches every machine: Middlebury's motorcycle.

Source: Scharstein et al., "High-resolution stereo datasets with subpixel-accurate ground truth"
(GCPR 2014), at a quarter of its size, as scikit-image ships it inside its wheel.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from monostep.errors import MissingExtraError
from monostep.evaluation.truth import Truth
from monostep.files import photo

FOCAL_PX = 994.978
BASELINE_M = 0.193001
OFFSET_PX = 31.086  # difference of the two cameras' principal points


def motorcycle(folder: Path | None = None) -> Iterator[Truth]:
    """The left image with its depth in metres, from scikit-image's data folder or another.

    Raises:
        MissingExtraError: scikit-image, whose wheel holds the files, is not installed.
    """
    folder = folder or _installed()
    left, disparities = folder / "motorcycle_left.png", folder / "motorcycle_disp.npz"
    if not (left.is_file() and disparities.is_file()):
        raise MissingExtraError(
            f"{folder}: {left.name} and {disparities.name} are not both there; "
            "pip install scikit-image brings them"
        )
    with np.load(disparities) as file:
        disparity_px = torch.from_numpy(file["arr_0"])
    known = torch.isfinite(disparity_px)
    metres = FOCAL_PX * BASELINE_M / (torch.where(known, disparity_px, 0) + OFFSET_PX)
    pixels = torch.from_numpy(photo.read(left).pixels.astype(np.float32) / 255)
    yield Truth(
        names=("motorcycle",),
        strata=("photograph",),
        image=pixels.permute(2, 0, 1)[None],
        depth_m=torch.where(known, metres, 0)[None],
        depth_valid=known[None],
        normals=None,
        normals_valid=None,
    )


def _installed() -> Path:
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise MissingExtraError(
            "the motorcycle photograph comes with scikit-image, which is not installed: "
            "pip install scikit-image"
        )
    return Path(package.origin).parent / "data"
