"""The latent a diffusion model starts from, drawn from one generator per image.

    "zeros"               no noise: what E2E-FT is trained and run on
    "gaussian"            white: Marigold, diffusers
    "pyramid"             coarse over fine, the sizes compounding: E2E-FT
    "pyramid-geowizard"   coarse over fine, every size taken from the full one: GeoWizard

A pyramid is white noise plus, for i = 0, 1, ... 9, noise drawn on a smaller grid, enlarged and
weighted by 0.9^i, until a side of the grid is 1; then it is divided by its standard deviation.
"""

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from monostep.errors import SettingError

Kind: TypeAlias = Literal["zeros", "gaussian", "pyramid", "pyramid-geowizard"]
KINDS: tuple[Kind, ...] = get_args(Kind)

DISCOUNT = 0.9
LEVELS = 10

Uniform: TypeAlias = Callable[[], float]  # the next random number in [0, 1)
Grid: TypeAlias = tuple[int, int]  # height, width


def draw(
    kind: str,
    *,
    size: tuple[int, int, int],
    members: int,
    generator: torch.Generator,
    level: float = 0.999,
) -> Float[Tensor, "member channel height width"]:
    """The initial latents of one image's ensemble, float32 on the CPU.

    Args:
        kind: one of `KINDS`.
        size: channels, height and width of the latent.
        members: how many; each is a draw of its own.
        generator: of the image, on the CPU; every random number is from it, so that neither the
            other images nor their order matter.
        level: t / T of the first step, which weighs the coarse part of "pyramid-geowizard" and
            nothing else.

    "gaussian" is one `torch.randn` of the whole, as diffusers draws it; more members leave the
    first ones as they are if a member has a multiple of 16 numbers. A pyramid's members are drawn
    one after the other, and more of them always leave the first ones as they are. A pyramid is
    divided by its own standard deviation (unbiased); the published scripts divide by that of the
    whole batch.

    Raises:
        SettingError: unknown kind, or no members.

    Source: J. Whitaker, Multi-Resolution Noise for Diffusion Model Training; the scripts of E2E-FT
    and GeoWizard.
    """
    if kind not in KINDS:
        raise SettingError(f"noise {kind!r}: expected one of {', '.join(KINDS)}")
    if members < 1:
        raise SettingError(f"{members} ensemble members: expected 1 or more")
    if kind == "zeros":
        return torch.zeros(members, *size)
    if kind == "gaussian":
        return torch.randn(members, *size, generator=generator)
    if kind == "pyramid":
        grids, strength = compounding, 1.0
    else:
        grids, strength = independent, level
    each = [_pyramid(size, grids, strength, generator) for _ in range(members)]
    return torch.stack(each)


def draw_each(
    count: int, *, size: tuple[int, int, int], members: int, generator: torch.Generator
) -> Float[Tensor, "draw member channel height width"]:
    """Gaussian noise for `count` later steps of each member, one member's after the other's."""
    draws = [[torch.randn(size, generator=generator) for _ in range(count)] for _ in range(members)]
    if count == 0:
        return torch.empty(0, members, *size)
    return torch.stack([torch.stack(member) for member in draws], dim=1)


def compounding(full: Grid, uniform: Uniform) -> Iterator[Grid]:
    """Grids of "pyramid": each is the one before it divided by r^i, r uniform in [2, 4)."""
    height, width = full
    for i in range(LEVELS):
        ratio = (2 + 2 * uniform()) ** i
        height, width = max(1, int(height / ratio)), max(1, int(width / ratio))
        yield height, width
        if min(height, width) == 1:
            return


def independent(full: Grid, uniform: Uniform) -> Iterator[Grid]:
    """Grids of "pyramid-geowizard": each is the full one divided by r^i, r uniform in [1.5, 3)."""
    for i in range(LEVELS):
        ratio = (1.5 + 1.5 * uniform()) ** i
        height, width = max(1, int(full[0] / ratio)), max(1, int(full[1] / ratio))
        yield height, width
        if min(height, width) == 1:
            return


def _pyramid(
    size: tuple[int, int, int],
    grids: Callable[[Grid, Uniform], Iterator[Grid]],
    strength: float,
    generator: torch.Generator,
) -> Float[Tensor, "channel height width"]:
    def uniform() -> float:
        return torch.rand((), generator=generator, dtype=torch.float64).item()

    channels, *full = size
    noise = torch.randn(size, generator=generator)
    for i, grid in enumerate(grids((full[0], full[1]), uniform)):
        coarse = torch.randn(1, channels, *grid, generator=generator)
        enlarged = F.interpolate(coarse, size=full, mode="bilinear", align_corners=False)[0]
        noise += strength * DISCOUNT**i * enlarged
    return noise / noise.std() if noise.numel() > 1 else noise
