"""Materials: what a surface looks like, and random ones."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.procedural.draws import Draws

Colour = tuple[float, float, float]  # linear RGB reflectance


@dataclass(frozen=True, kw_only=True)
class Material:
    """A surface: two colours, a grid of cells that mixes them, noise, and how it shines.

    The cells make checks, stripes, bricks, planks, tiles, dots and posters; see texture.py.
    """

    base_r: float
    base_g: float
    base_b: float
    accent_r: float = 0.0
    accent_g: float = 0.0
    accent_b: float = 0.0
    period_u_m: float = 1e4  # size of a cell
    period_v_m: float = 1e4
    stagger: float = 0.0  # shift of every second row, in cells
    joint_m: float = 0.0  # half width of the joints between cells, in the accent colour
    check: float = 0.0  # how much every second cell takes the accent colour
    dot: float = 0.0  # radius of a dot in every cell, in cells, in the accent colour
    tint: float = 0.0  # how much the lightness differs from cell to cell
    hue: float = 0.0  # how much the colour differs from cell to cell
    grain: float = 0.0  # amplitude of the noise in lightness
    grain_per_m: float = 1.0  # its frequency
    stretch: float = 1.0  # how much longer it is along u than along v
    blotch: float = 0.0  # how much of the noise goes into mixing the two colours
    offset_m: float = 0.0  # where the pattern starts
    turn_rad: float = 0.0  # how the pattern is turned
    gloss: float = 0.0  # strength of the highlight
    shininess: float = 10.0  # its exponent
    glow: float = 0.0  # light given off, times the base colour


def table(materials: Sequence[Material]) -> Mapping[str, Float[Tensor, "1 materials"]]:
    """Return the columns of the materials, by the name of the field."""
    return {
        field.name: torch.tensor(
            [[getattr(material, field.name) for material in materials]], dtype=torch.float32
        )
        for field in fields(Material)
    }


def colour(draws: Draws, saturation: float = 0.6) -> Colour:
    """Return a random linear RGB reflectance; most are muted, some strong."""
    strength = saturation * draws.unit() ** 1.5
    if draws.chance(0.1):
        strength = draws.uniform(0.5, 1.0)
    value = draws.uniform(0.08, 0.95)
    r, g, b = colorsys.hsv_to_rgb(draws.unit(), strength, value)
    return r**2.0, g**2.0, b**2.0


def earthy(draws: Draws, hue: tuple[float, float], value: tuple[float, float]) -> Colour:
    """Return a natural colour with the hue (a turn is 1) and the value in these ranges."""
    r, g, b = colorsys.hsv_to_rgb(
        draws.uniform(*hue) % 1.0, draws.uniform(0.1, 0.6), draws.uniform(*value)
    )
    return r**2.0, g**2.0, b**2.0


def _material(draws: Draws, base: Colour, accent: Colour, **pattern: float) -> Material:
    glossy = draws.chance(0.35)
    settings = {
        "offset_m": draws.uniform(0, 40),
        "grain": draws.uniform(0.0, 0.5) * draws.unit(),
        "grain_per_m": draws.log_uniform(1.5, 30),
        "gloss": draws.uniform(0.05, 0.6) if glossy else 0.0,
        "shininess": draws.log_uniform(6, 150),
    }
    return Material(
        base_r=base[0],
        base_g=base[1],
        base_b=base[2],
        accent_r=accent[0],
        accent_g=accent[1],
        accent_b=accent[2],
        **(settings | pattern),
    )


def plain(draws: Draws, base: Colour | None = None) -> Material:
    """Return paint or plastic: one colour, faint noise."""
    return _material(draws, base or colour(draws), colour(draws), grain=draws.uniform(0, 0.15))


def wood(draws: Draws) -> Material:
    """Return wood: brown, long grain, with or without planks."""
    base = earthy(draws, (0.03, 0.11), (0.2, 0.9))
    return _material(
        draws,
        base,
        (base[0] * 0.3, base[1] * 0.3, base[2] * 0.3),
        period_u_m=draws.uniform(0.6, 2.5),
        period_v_m=draws.uniform(0.06, 0.25),
        stagger=draws.uniform(0.2, 0.5),
        joint_m=draws.uniform(0, 0.003),
        tint=draws.uniform(0.05, 0.5),
        grain=draws.uniform(0.2, 0.8),
        grain_per_m=draws.log_uniform(10, 60),
        stretch=draws.uniform(5, 20),
        blotch=draws.uniform(0, 0.6),
        turn_rad=draws.choice((0.0, 1.5708)),
    )


def bricks(draws: Draws, scale: float = 1.0) -> Material:
    """Return bricks or tiles with joints; `scale` 1 is the size of real ones."""
    tiles = draws.chance(0.5)
    length = scale * (draws.log_uniform(0.08, 0.6) if tiles else draws.uniform(0.18, 0.45))
    base = colour(draws) if tiles else earthy(draws, (-0.02, 0.1), (0.3, 0.8))
    return _material(
        draws,
        base,
        earthy(draws, (0.05, 0.15), (0.2, 0.9)),
        period_u_m=length,
        period_v_m=length if tiles else length * draws.uniform(0.28, 0.5),
        stagger=0.0 if tiles and draws.chance(0.7) else 0.5,
        joint_m=scale * draws.uniform(0.001, 0.008),
        tint=draws.uniform(0.0, 0.6),
        check=draws.choice((0.0, 0.0, 1.0)) if tiles else 0.0,
        turn_rad=draws.choice((0.0, 0.0, 0.785)) if tiles else 0.0,
    )


def cloth(draws: Draws) -> Material:
    """Return a woven or printed pattern: checks, stripes or dots."""
    size = draws.log_uniform(0.02, 0.4)
    stripes = draws.chance(0.4)
    dots = not stripes and draws.chance(0.4)
    return _material(
        draws,
        colour(draws, 0.9),
        colour(draws, 0.9),
        period_u_m=size,
        period_v_m=1e4 if stripes else size * draws.uniform(0.5, 2.0),
        check=0.0 if dots else draws.uniform(0.3, 1.0),
        dot=draws.uniform(0.15, 0.45) if dots else 0.0,
        hue=draws.choice((0.0, 0.0, 0.6)),
        turn_rad=draws.choice((0.0, 0.0, 0.785, draws.uniform(0, 3.14))),
        gloss=0.0,
    )


def stone(draws: Draws) -> Material:
    """Return blotched stuff: marble, concrete, carpet, fur."""
    return _material(
        draws,
        colour(draws, 0.4),
        colour(draws, 0.4),
        grain=draws.uniform(0.1, 0.9),
        grain_per_m=draws.log_uniform(1.0, 40),
        blotch=draws.uniform(0.2, 1.0),
        stretch=draws.log_uniform(0.5, 3.0),
    )


def soil(draws: Draws) -> Material:
    """Return what the ground outside is made of: grass, sand, snow, asphalt, paving."""
    if draws.chance(0.15):
        return bricks(draws, draws.uniform(1, 4))
    hue = draws.choice(((0.18, 0.33), (0.18, 0.33), (0.06, 0.13), (0.5, 0.65)))
    return _material(
        draws,
        earthy(draws, hue, (0.2, 0.8)),
        earthy(draws, (hue[0] - 0.08, hue[1]), (0.1, 0.6)),
        grain=draws.uniform(0.1, 0.9),
        grain_per_m=draws.log_uniform(0.3, 15),
        blotch=draws.uniform(0.0, 1.0),
        gloss=0.0,
    )


def facade(draws: Draws) -> Material:
    """Return a wall of a building with a grid of windows."""
    return _material(
        draws,
        earthy(draws, (0.5, 0.7), (0.05, 0.5)),
        draws.choice((colour(draws, 0.4), earthy(draws, (0.0, 0.15), (0.4, 0.95)))),
        period_u_m=draws.uniform(1.5, 4.0),
        period_v_m=draws.uniform(2.4, 3.8),
        joint_m=draws.uniform(0.3, 0.9),
        tint=draws.uniform(0.0, 0.8),
        grain=draws.uniform(0, 0.2),
        gloss=draws.uniform(0, 0.3),
    )


def poster(draws: Draws, size_m: float) -> Material:
    """Return a picture `size_m` wide: cells of many colours and blotches."""
    return _material(
        draws,
        colour(draws, 1.0),
        colour(draws, 1.0),
        period_u_m=size_m / draws.uniform(0.7, 6.0),
        period_v_m=size_m / draws.uniform(0.7, 6.0),
        stagger=draws.choice((0.0, draws.unit())),
        hue=draws.uniform(0.2, 1.0),
        tint=draws.uniform(0.0, 1.0),
        check=draws.choice((0.0, draws.unit())),
        dot=draws.choice((0.0, 0.0, draws.uniform(0.2, 0.5))),
        grain=draws.uniform(0.0, 0.8),
        grain_per_m=draws.log_uniform(2, 12) / size_m,
        blotch=draws.uniform(0.0, 1.0),
        turn_rad=draws.choice((0.0, draws.uniform(0, 3.14))),
    )


def lamp(draws: Draws, strength: float) -> Material:
    """Return a surface that gives off light."""
    warm = draws.uniform(0.5, 1.0)
    return Material(base_r=1.0, base_g=0.6 + 0.4 * warm, base_b=warm, glow=strength)


def anything(draws: Draws) -> Material:
    """Return a random material of any sort."""
    return draws.choice((plain, plain, wood, bricks, cloth, stone))(draws)
