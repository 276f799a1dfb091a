"""From light to a photograph: exposure, colour, blur, noise, tone curve and JPEG."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from monostep.data.procedural.draws import splitmix64

_NOISE_NUMBERS = 1 << 20
_BLOCK = 8  # side of a JPEG block
_LUMA = (0.299, 0.587, 0.114)
Image = Float[Tensor, "batch 3 height width"]
Look = Mapping[str, Float[Tensor, " batch"]]


def photograph(light: Image, look: Look) -> Image:
    """Return the sRGB picture in [0, 1] that a camera takes of linear RGB `light`."""
    exposed = _colour(_expose(_blur(light, look), look), look)
    noisy = _noise(exposed, look)
    return jpeg(_tone(noisy, look), look["quality"])


def jpeg(image: Image, quality: Float[Tensor, " batch"]) -> Image:
    """Return the image after 8 x 8 block DCT quantisation; quality 100 leaves it untouched."""
    if bool((quality >= 100).all()):
        return image
    height, width = image.shape[-2:]
    blocks = _to_blocks(_to_ycc(image) * 255)
    cosine = _cosines(image.device)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50).clamp_min(0.02)
    step = (_quantisation(image.device) * scale[:, None, None, None]).clamp_min(1)
    step = step[:, :, None, None]
    coarse = ((cosine @ blocks @ cosine.T) / step).round() * step
    decoded = _from_blocks(cosine.T @ coarse @ cosine)[..., :height, :width] / 255
    restored = _from_ycc(decoded).clamp(0, 1)
    return torch.where(quality[:, None, None, None] < 100, restored, image)


def _blur(light: Image, look: Look) -> Image:
    """Return the light blurred by a Gaussian, in three taps twice."""
    sigma_px = look["blur_px"] * (light.shape[-1] / 256)
    if bool((sigma_px <= 0).all()):
        return light
    # two passes of [w, 1 - 2w, w] have the variance 4w: w stays below 1/3, where taps stay smooth
    weight = (sigma_px.square() / 4).clamp(max=0.33)[:, None, None, None]
    for _ in range(2):
        tall = pad(light, (0, 0, 1, 1), mode="replicate")
        light = light + weight * (tall[:, :, 2:] - 2 * light + tall[:, :, :-2])
        wide = pad(light, (1, 1, 0, 0), mode="replicate")
        light = light + weight * (wide[..., 2:] - 2 * light + wide[..., :-2])
    return light


def _expose(light: Image, look: Look) -> Image:
    height, width = light.shape[-2:]
    level = light.clamp_max(4).mean((1, 2, 3)).clamp_min(1e-4)
    y = torch.linspace(-1, 1, height, device=light.device)[:, None]
    x = torch.linspace(-1, 1, width, device=light.device)
    falloff = 1 - look["vignette"][:, None, None] * (x * x + y * y) / 2
    gain = (look["exposure"] / level)[:, None, None] * falloff
    return light * gain[:, None]


def _colour(light: Image, look: Look) -> Image:
    red, green, blue = light.unbind(1)
    red, blue = red * look["gain_r"][:, None, None], blue * look["gain_b"][:, None, None]
    grey = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]
    full = look["saturation"][:, None, None]
    return torch.stack([grey + full * (c - grey) for c in (red, green, blue)], dim=1).clamp_min(0)


def _noise(light: Image, look: Look) -> Image:
    read, shot = look["noise"][:, None, None, None], look["shot"][:, None, None, None]
    if bool((read + shot <= 0).all()):
        return light
    count = math.prod(light.shape[1:])
    start = (look["noise_seed"].double() * _NOISE_NUMBERS).long()[:, None]
    number = (start + torch.arange(count, device=light.device)) & (_NOISE_NUMBERS - 1)
    normal = _normal_numbers(light.device)[number].reshape(light.shape)
    return (light + normal * (read * read + shot * light).sqrt()).clamp_min(0)


def _tone(light: Image, look: Look) -> Image:
    """Return sRGB values: the highlights rolled off, then gamma and contrast."""
    knee = 0.7
    over = (light - knee).clamp_min(0)
    rolled = torch.minimum(light, light.new_tensor(knee)) + over / (1 + over / (1 - knee))
    curve = (1.055 * rolled.clamp_min(0.0031).pow(1 / 2.4) - 0.055).clamp(0, 1)
    dark = rolled < 0.0031
    encoded = torch.where(dark, rolled * 12.92, curve)
    contrast = look["contrast"][:, None, None, None]
    return (0.45 + (encoded - 0.45) * contrast).clamp(0, 1)


def _to_ycc(image: Image) -> Image:
    red, green, blue = image.unbind(1)
    luma = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]
    return torch.stack([luma, (blue - luma) * 0.564, (red - luma) * 0.713], dim=1)


def _from_ycc(image: Image) -> Image:
    luma, blue_difference, red_difference = image.unbind(1)
    red, blue = luma + red_difference / 0.713, luma + blue_difference / 0.564
    green = (luma - _LUMA[0] * red - _LUMA[2] * blue) / _LUMA[1]
    return torch.stack([red, green, blue], dim=1)


def _to_blocks(image: Image) -> Float[Tensor, "batch 3 rows columns 8 8"]:
    height, width = image.shape[-2:]
    whole = pad(image, (0, -width % _BLOCK, 0, -height % _BLOCK), mode="replicate")
    return whole.unflatten(3, (-1, _BLOCK)).unflatten(2, (-1, _BLOCK)).transpose(3, 4)


def _from_blocks(blocks: Float[Tensor, "batch 3 rows columns 8 8"]) -> Image:
    return blocks.transpose(3, 4).flatten(4, 5).flatten(2, 3)


@cache
def _cosines(device: torch.device) -> Float[Tensor, "8 8"]:
    k = torch.arange(_BLOCK, dtype=torch.float64)
    rows = (math.pi / _BLOCK * k[:, None] * (k + 0.5)).cos() * math.sqrt(2 / _BLOCK)
    rows[0] /= math.sqrt(2)
    return rows.float().to(device)


@cache
def _quantisation(device: torch.device) -> Float[Tensor, "3 8 8"]:
    """Return steps that grow with frequency about as the tables of the JPEG standard do."""
    k = torch.arange(_BLOCK, dtype=torch.float32)
    both = k[:, None] + k
    luma = 10 + 1.1 * both.pow(1.75)
    chroma = (17 + 12 * both).clamp_max(99)
    return torch.stack([luma, chroma, chroma]).to(device)


@cache
def _normal_numbers(device: torch.device) -> Float[Tensor, " numbers"]:
    generator = torch.Generator().manual_seed(splitmix64(_NOISE_NUMBERS) >> 1)
    return torch.randn(_NOISE_NUMBERS, generator=generator).to(device)
