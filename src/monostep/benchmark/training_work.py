"""What is learned in the training benchmark, and how: alike for every program.

One step is the paper's: the UNet's answer at t = T-1 to zeros beside the image's latent, through
the frozen decoder, against true depth. Source: E2E-FT (Garcia et al., WACV 2025), section 4.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float32

from monostep.benchmark.cases import SHIFT, Case
from monostep.data.procedural.render import render
from monostep.data.samples import Samples
from monostep.data.splits import SEEDS

RATE, CLIP = 3e-5, 1.0  # E2E-FT's learning rate and largest norm of the gradient
BETAS, DECAY = (0.9, 0.999), 1e-2
FAR_M = 80.0  # depths beyond, and the sky, are left out


@dataclass(frozen=True, kw_only=True)
class Work:
    """Images and their depth, as they travel between processes."""

    image: Float32[np.ndarray, "batch 3 height width"]  # sRGB in [0, 1]
    depth_m: Float32[np.ndarray, "batch height width"]
    valid: Bool[np.ndarray, "batch height width"]


def work(case: Case) -> Work:
    """A procedural scene, and for a batch the same scene shifted sideways."""
    scene = _scene(case.size)
    valid = scene.valid & (scene.depth_m <= FAR_M)

    def batch(values: np.ndarray) -> np.ndarray:
        return np.concatenate([np.roll(values, k * SHIFT, axis=-1) for k in range(case.batch)])

    return Work(
        image=batch(scene.image.numpy()),
        depth_m=batch(scene.depth_m.numpy()),
        valid=batch(valid.numpy()),
    )


@cache
def _scene(size: tuple[int, int]) -> Samples:
    return render(SEEDS["test"], [0], size)
