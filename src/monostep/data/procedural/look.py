"""The look of an image: its sky, haze, indirect light and the sensor that took it."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.procedural.draws import Draws


@dataclass(frozen=True, kw_only=True)
class Look:
    """Numbers that a whole image shares; all colours are linear RGB."""

    zenith_r: float = 0.2
    zenith_g: float = 0.4
    zenith_b: float = 0.9
    horizon_r: float = 0.8
    horizon_g: float = 0.85
    horizon_b: float = 0.9
    cloud: float = 0.0  # how much of the sky is cloud
    cloud_offset: float = 0.0
    haze_per_m: float = 0.0  # part of the light lost to haze a metre
    above_r: float = 0.3  # indirect light on surfaces that face up
    above_g: float = 0.3
    above_b: float = 0.3
    below_r: float = 0.2  # and on those that face down
    below_g: float = 0.2
    below_b: float = 0.2
    exposure: float = 0.3  # mean value of the picture, before the tone curve
    gain_r: float = 1.0
    gain_b: float = 1.0
    saturation: float = 1.0
    contrast: float = 1.0
    vignette: float = 0.0
    blur_px: float = 0.0  # standard deviation, at an image 256 wide
    noise: float = 0.0  # standard deviation in the dark
    shot: float = 0.0  # variance per unit of light
    noise_seed: float = 0.0  # in [0, 1)
    quality: float = 100.0  # of the JPEG compression; 100 is none


def row(look: Look) -> Mapping[str, Float[Tensor, " 1"]]:
    """Return every field as a tensor, by name."""
    return {
        name: torch.tensor([number], dtype=torch.float32) for name, number in asdict(look).items()
    }


def random_look(draws: Draws, *, ambient: float, open_air: bool) -> Look:
    """Return a random look with indirect light of about `ambient`."""
    hue, cast = draws.unit(), draws.unit() * 0.25
    above = colorsys.hsv_to_rgb(hue, cast, ambient * draws.uniform(0.6, 1.5))
    below = colorsys.hsv_to_rgb(draws.uniform(0, 0.2), cast, ambient * draws.uniform(0.3, 1.0))
    blue = draws.unit() ** 0.7
    bright = draws.uniform(0.5, 1.6)
    glow = colorsys.hsv_to_rgb(draws.uniform(0.0, 0.15), draws.unit() * 0.3, bright)
    hazy = open_air and draws.chance(0.35)
    noisy = draws.chance(0.6)
    return Look(
        zenith_r=bright * (1 - 0.8 * blue),
        zenith_g=bright * (1 - 0.55 * blue),
        zenith_b=bright,
        horizon_r=glow[0],
        horizon_g=glow[1],
        horizon_b=glow[2],
        cloud=draws.choice((0.0, draws.unit())),
        cloud_offset=draws.uniform(0, 200),
        haze_per_m=draws.log_uniform(0.001, 0.03) if hazy else 0.0,
        above_r=above[0],
        above_g=above[1],
        above_b=above[2],
        below_r=below[0],
        below_g=below[1],
        below_b=below[2],
        exposure=draws.uniform(0.09, 0.36),
        gain_r=draws.log_uniform(0.8, 1.25),
        gain_b=draws.log_uniform(0.8, 1.25),
        saturation=draws.uniform(0.0, 0.4) if draws.chance(0.1) else draws.uniform(0.7, 1.3),
        contrast=draws.uniform(0.85, 1.35),
        vignette=draws.choice((0.0, draws.uniform(0, 0.5))),
        blur_px=draws.choice((0.0, draws.uniform(0.0, 0.6), draws.uniform(0.3, 1.2))),
        noise=draws.unit() ** 2 * 0.025 if noisy else 0.0,
        shot=draws.unit() ** 2 * 0.003 if noisy else 0.0,
        noise_seed=draws.unit(),
        quality=draws.uniform(25, 95) if draws.chance(0.6) else 100.0,
    )
