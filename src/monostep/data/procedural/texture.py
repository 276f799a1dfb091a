"""Procedural textures: the reflectance at a point of a surface, from its coordinates."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.procedural.camera import Vector
from monostep.data.procedural.draws import splitmix64

_SIDE = 256  # of the lattice of random numbers, which then repeats
_OCTAVES = 4
Lookup = Callable[[str], Tensor]  # a field of Material, at every pixel


def noise(x: Tensor, y: Tensor, footprint: Tensor, octaves: int = _OCTAVES) -> Tensor:
    """Return fractal value noise in about [-1, 1], one feature a unit at the coarsest octave.

    `footprint` is the width of a pixel in units; finer octaves fade out instead of aliasing.
    """
    total = torch.zeros_like(x)
    frequency, amplitude = 1.0, 0.55
    for octave in range(octaves):
        shift = 17.3 * octave
        smooth = _value_noise(x * frequency + shift, y * frequency + shift)
        fade = (1.6 - footprint * (2 * frequency)).clamp(0, 1)
        total = total + smooth * (fade * amplitude)
        frequency, amplitude = frequency * 2.13, amplitude * 0.55
    return total


def reflectance(
    material: Lookup, u_m: Tensor, v_m: Tensor, footprint_m: Float[Tensor, "batch height width"]
) -> Vector:
    """Return linear RGB at the texture coordinates; `footprint_m` is the width of a pixel there."""
    turn, offset = material("turn_rad"), material("offset_m")
    cos, sin = turn.cos(), turn.sin()
    u = u_m * cos + v_m * sin + offset
    v = v_m * cos - u_m * sin + offset
    frequency = material("grain_per_m")
    grain = noise(u * (frequency / material("stretch")), v * frequency, footprint_m * frequency)
    cell = _Cells(material, u, v, footprint_m)
    mix = cell.accent + (1 - cell.accent) * material("blotch") * (0.5 + 0.9 * grain).clamp(0, 1)
    light = (1 + material("grain") * grain) * (1 + material("tint") * cell.shade)
    hue = material("hue")
    return (
        _channel(material, "r", mix, light * (1 + hue * cell.red)),
        _channel(material, "g", mix, light * (1 + hue * cell.green)),
        _channel(material, "b", mix, light * (1 - hue * 0.5 * (cell.red + cell.green))),
    )


class _Cells:
    """The grid of cells of a texture: how much accent colour, and random numbers of the cell."""

    def __init__(self, material: Lookup, u: Tensor, v: Tensor, footprint_m: Tensor) -> None:
        period_u, period_v = material("period_u_m"), material("period_v_m")
        y = v / period_v
        row = y.floor()
        x = u / period_u + material("stagger") * (row - 2 * (row / 2).floor())
        column = x.floor()
        across, along = x - column, y - row
        sharp = (1.8 - 2 * footprint_m / torch.minimum(period_u, period_v)).clamp(0, 1)
        to_edge_m = torch.minimum(
            torch.minimum(across, 1 - across) * period_u, torch.minimum(along, 1 - along) * period_v
        )
        joint_m = material("joint_m")
        joint = ((joint_m - to_edge_m) / footprint_m + 0.5).clamp(0, 1) * (joint_m > 0)
        checked = row + column
        check = material("check") * (0.5 + sharp * (checked - 2 * (checked / 2).floor() - 0.5))
        radius = ((across - 0.5).square() + (along - 0.5).square()).sqrt()
        dot = (radius < material("dot")) * sharp
        self.accent = torch.maximum(joint, torch.maximum(check, dot))
        number = column.int() * 157 + row.int() * 8_191
        self.shade = _random(number) * sharp
        self.red = _random(number + 12_007) * sharp
        self.green = _random(number + 37_003) * sharp


def _channel(material: Lookup, channel: str, mix: Tensor, light: Tensor) -> Tensor:
    base, accent = material(f"base_{channel}"), material(f"accent_{channel}")
    return (torch.lerp(base, accent, mix) * light).clamp(0.01, 1.2)


def _value_noise(x: Tensor, y: Tensor) -> Tensor:
    column, row = x.floor(), y.floor()
    fx, fy = x - column, y - row
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    number = column.int() + row.int() * _SIDE
    near = torch.lerp(_random(number), _random(number + 1), fx)
    far = torch.lerp(_random(number + _SIDE), _random(number + _SIDE + 1), fx)
    return torch.lerp(near, far, fy)


def _random(number: Tensor) -> Tensor:
    """Return the random number in [-1, 1] that belongs to each integer."""
    wrapped = number & (_SIDE * _SIDE - 1)
    return _lattice(number.device).index_select(0, wrapped.flatten()).reshape(number.shape)


@cache
def _lattice(device: torch.device) -> Float[Tensor, " numbers"]:
    generator = torch.Generator().manual_seed(splitmix64(_SIDE) >> 1)
    return (torch.rand(_SIDE * _SIDE, generator=generator) * 2 - 1).to(device)
