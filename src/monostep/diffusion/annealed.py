"""Multi-resolution noise that turns white as the timestep falls: what Marigold is trained with.

    noise = white + sum over levels i of strength^i * enlarged(white on a smaller grid)

divided by its standard deviation, with strength proportional to t: at t = 0 all that is left of
the sum is its first term, since 0^0 = 1. The strategies say which grids the levels have:

    "original"      the one before, divided by r^i, r uniform in [2, 4): noise.py's "pyramid"
    "power-of-two"  the one before, divided by 2^i
    "random-step"   the one before, divided by r
    "every-layer"   the one before, divided by 2, until a side is below 2

The first level of "original" and "power-of-two" is the full grid once more, so at t = 0 they are
white; the other two keep a coarse part even there.
"""

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from monostep.diffusion import noise
from monostep.diffusion.noise import Grid, Uniform
from monostep.errors import SettingError

Strategy: TypeAlias = Literal["original", "power-of-two", "random-step", "every-layer"]


def draw(
    size: tuple[int, int, int],
    *,
    strength: float,
    strategy: str = "original",
    generator: torch.Generator,
) -> Float[Tensor, "channel height width"]:
    """The noise of one image's latent, float32 on the CPU, with unit standard deviation.

    Args:
        size: channels, height and width of the latent.
        strength: weight of level i is strength^i; Marigold's is 0.9 t / T.
        strategy: the grids of the levels.
        generator: of the image, on the CPU; every random number is from it. The reference draws
            for a batch at once and divides by the batch's deviation; here each has its own.

    Raises:
        SettingError: unknown strategy, or a strength outside of [0, 1].

    Source: Marigold's training; J. Whitaker, Multi-Resolution Noise for Diffusion Model Training.
    """
    if strategy not in GRIDS:
        raise SettingError(f"noise strategy {strategy!r}: expected one of {', '.join(GRIDS)}")
    if not 0 <= strength <= 1:
        raise SettingError(f"noise strength {strength}: expected a number in [0, 1]")

    def uniform() -> float:
        return torch.rand((), generator=generator, dtype=torch.float64).item()

    channels, *full = size
    total = torch.randn(size, generator=generator)
    for i, grid in enumerate(GRIDS[strategy]((full[0], full[1]), uniform)):
        coarse = torch.randn(1, channels, *grid, generator=generator)
        enlarged = F.interpolate(coarse, size=full, mode="bilinear", align_corners=False)[0]
        total += strength**i * enlarged
    return total / total.std() if total.numel() > 1 else total


def _power_of_two(full: Grid, uniform: Uniform) -> Iterator[Grid]:  # noqa: ARG001
    return _until_one(full, lambda i: 2.0**i)


def _random_step(full: Grid, uniform: Uniform) -> Iterator[Grid]:
    return _until_one(full, lambda _: 2 + 2 * uniform())


def _until_one(full: Grid, ratio: Callable[[int], float]) -> Iterator[Grid]:
    height, width = full
    for i in range(noise.LEVELS):
        divisor = ratio(i)
        height, width = max(1, int(height / divisor)), max(1, int(width / divisor))
        yield height, width
        if min(height, width) == 1:
            return


def _every_layer(full: Grid, uniform: Uniform) -> Iterator[Grid]:  # noqa: ARG001
    height, width = full
    while min(height, width) > 1:
        height, width = height // 2, width // 2
        yield height, width


GRIDS: dict[str, Callable[[Grid, Uniform], Iterator[Grid]]] = {
    "original": noise.compounding,
    "power-of-two": _power_of_two,
    "random-step": _random_step,
    "every-layer": _every_layer,
}
