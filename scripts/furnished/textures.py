"""Textures that repeat (wood, tiles, carpet, brick, wallpaper), views from windows, pictures."""

from __future__ import annotations

import numpy as np
from scripts.furnished.mesh import TEXTURE

Colour = np.ndarray  # [3], sRGB in [0, 1]
_CREAM = np.array([0.93, 0.89, 0.8])


def smooth(rng: np.random.Generator, cells: int, octaves: int = 3) -> np.ndarray:
    """Noise that repeats, [TEXTURE, TEXTURE], of mean about 0 and deviation 1."""
    total = np.zeros((TEXTURE, TEXTURE))
    for octave in range(octaves):
        count = min(TEXTURE, cells << octave)
        total += _stretched(rng.normal(size=(count, count))) / 2**octave
    return total / total.std()


def _stretched(values: np.ndarray) -> np.ndarray:
    """A periodic grid, bilinear, at the size of a texture."""
    for axis in (0, 1):
        count = values.shape[axis]
        place = (np.arange(TEXTURE) + 0.5) / TEXTURE * count - 0.5
        low = np.floor(place).astype(int)
        part = (place - low)[:, None] if axis == 0 else place - low
        first, second = (np.take(values, (low + k) % count, axis) for k in (0, 1))
        values = first * (1 - part) + second * part
    return values


def _painted(colour: Colour, factor: np.ndarray) -> np.ndarray:
    return np.clip(colour * factor[..., None], 0, 1)


def _byte(values: np.ndarray) -> np.ndarray:
    return (np.clip(values, 0, 1) * 255).round().astype(np.uint8)


def wood(rng: np.random.Generator, colour: Colour, planks: int = 8) -> np.ndarray:
    """Boards side by side, each with a tone and grain of its own."""
    y, x = np.mgrid[:TEXTURE, :TEXTURE]
    row = y * planks // TEXTURE
    shift = rng.integers(0, TEXTURE, planks)
    half = ((x + shift[row]) % TEXTURE) * 2 // TEXTURE
    tone = rng.normal(1, rng.uniform(0.03, 0.13), (planks, 2))[row, half]
    grain = smooth(rng, 4)[:, np.arange(TEXTURE) // 8] * rng.uniform(0.01, 0.06)
    joint = (y % (TEXTURE // planks) == 0) | ((x + shift[row]) % (TEXTURE // 2) == 0)
    return _byte(_painted(colour, (tone + grain) * np.where(joint, rng.uniform(0.5, 0.95), 1)))


def tiles(rng: np.random.Generator, colour: Colour, other: Colour | None = None) -> np.ndarray:
    """Square tiles with joints, chequered if there is another colour."""
    count = int(rng.choice([2, 4, 8]))
    y, x = np.mgrid[:TEXTURE, :TEXTURE]
    side = TEXTURE // count
    row, column = y // side, x // side
    tone = rng.normal(1, rng.uniform(0.0, 0.06), (count, count))[row, column]
    tone = tone + smooth(rng, 8) * rng.uniform(0, 0.03)
    second = colour if other is None else other
    base = np.where(((row + column) % 2)[..., None] == 0, colour, second)
    joint = (y % side < 1 + side // 24) | (x % side < 1 + side // 24)
    return _byte(np.where(joint[..., None], rng.uniform(0.3, 0.9), base * tone[..., None]))


def brick(rng: np.random.Generator, colour: Colour) -> np.ndarray:
    """Rows of bricks, every other one shifted by half."""
    y, x = np.mgrid[:TEXTURE, :TEXTURE]
    row = y // 16
    shifted = (x + (row % 2) * 16) % TEXTURE
    tone = rng.normal(1, 0.12, (8, 4))[row, shifted // 32] + smooth(rng, 16) * 0.05
    joint = (y % 16 < 2) | (shifted % 32 < 2)
    return _byte(np.where(joint[..., None], rng.uniform(0.4, 0.85), colour * tone[..., None]))


def cloth(rng: np.random.Generator, colour: Colour) -> np.ndarray:
    """Carpet, plaster or concrete: noise of some grain and strength."""
    cells = int(rng.choice([2, 8, 32, 64]))
    strength = rng.choice([0.0, 1.0]) * rng.uniform(0.004, 0.02 if cells < 32 else 0.05)
    return _byte(_painted(colour, 1 + smooth(rng, cells, 2) * strength))


def pattern(rng: np.random.Generator, colour: Colour, other: Colour) -> np.ndarray:
    """Wallpaper: stripes, or a motif that repeats."""
    y, x = np.mgrid[:TEXTURE, :TEXTURE]
    period = int(rng.choice([8, 16, 32, 64]))
    if rng.random() < 0.5:
        mask = (x % period) < period * rng.uniform(0.2, 0.8)
    else:
        motif = smooth(rng, 8)[:period, :period] > rng.uniform(0, 0.8)
        mask = motif[y % period, x % period]
    base = np.where(mask[..., None], colour, other)
    return _byte(base * (1 + smooth(rng, 8)[..., None] * 0.015))


def colour(rng: np.random.Generator, light: float, strength: float) -> Colour:
    """A colour of about this lightness; warm ones are likelier."""
    hue = rng.normal(0.1, 0.12) if rng.random() < 0.75 else rng.random()
    phase = 2 * np.pi * (hue - np.array([0, 1 / 3, 2 / 3]))
    return np.clip(light * (1 + strength * rng.random() * np.cos(phase)), 0.02, 0.97)


def floor(rng: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """A floor's texture, the metres that it spans and its gloss."""
    tone = colour(rng, rng.uniform(0.2, 0.8), 0.25)
    brown = np.array([0.62, 0.42, 0.25]) * rng.uniform(0.4, 1.5) * rng.normal(1, 0.06, 3)
    gloss = rng.choice([0.0, 0.02, 0.05])
    match rng.choice(5, p=[0.42, 0.24, 0.22, 0.08, 0.04]):
        case 0:
            return wood(rng, brown, int(rng.choice([8, 16]))), rng.uniform(1.0, 1.9), gloss
        case 1:
            second = colour(rng, rng.uniform(0.1, 0.9), 0.3) if rng.random() < 0.3 else None
            return tiles(rng, tone, second), rng.uniform(0.8, 2.0), gloss
        case 2:
            return cloth(rng, tone), rng.uniform(0.5, 1.5), 0.0
        case 3:
            return cloth(rng, colour(rng, rng.uniform(0.3, 0.7), 0.1)), rng.uniform(2, 5), gloss
        case _:
            return pattern(rng, tone, colour(rng, rng.uniform(0.2, 0.8), 0.5)), 1.5, 0.0


def wall(rng: np.random.Generator, *, wet: bool) -> tuple[np.ndarray, float, float]:
    """A wall's texture, the metres that it spans and its gloss; `wet` rooms are often tiled."""
    pale = colour(rng, rng.uniform(0.65, 0.95), 0.06)
    bold = colour(rng, rng.uniform(0.25, 0.85), 0.3)
    chosen = pale if rng.random() < 0.8 else bold
    if wet and rng.random() < 0.5:
        return tiles(rng, chosen), rng.uniform(0.6, 1.6), 0.05
    match rng.choice(4, p=[0.74, 0.14, 0.07, 0.05]):
        case 0:
            return cloth(rng, chosen), rng.uniform(0.8, 3.0), 0.0
        case 1:
            other = chosen * rng.uniform(0.75, 1.1) if rng.random() < 0.7 else bold
            return pattern(rng, chosen, np.clip(other, 0, 1)), rng.uniform(0.5, 1.5), 0.0
        case 2:
            red = np.array([0.6, 0.35, 0.28]) * rng.uniform(0.7, 1.5)
            return brick(rng, red if rng.random() < 0.6 else pale), 0.9, 0.0
        case _:
            return wood(rng, np.array([0.65, 0.46, 0.3]) * rng.uniform(0.5, 1.4)), 1.2, 0.0


def view(rng: np.random.Generator) -> np.ndarray:
    """Out of a window: sky, houses or trees, ground."""
    y, _ = np.mgrid[:TEXTURE, :TEXTURE] / TEXTURE
    blue = np.array([0.62, 0.76, 0.95])
    sky = blue + (1 - blue) * np.clip(y * rng.uniform(0, 2), 0, 1)[..., None]
    picture = sky * rng.uniform(0.85, 1.05)
    horizon = rng.uniform(0.3, 0.9)
    edge = horizon + smooth(rng, 4)[:1] * rng.uniform(0.0, 0.15)
    green = colour(rng, rng.uniform(0.15, 0.6), 0.5) * np.array([0.9, 1.05, 0.8])
    ground = np.clip(green * (1 + smooth(rng, 8)[..., None] * rng.uniform(0.05, 0.3)), 0, 1)
    return _byte(np.where((y > edge)[..., None], ground, picture))


def painting(rng: np.random.Generator, photographs: list[np.ndarray]) -> np.ndarray:
    """A picture to hang: a part of a photograph, or blots of colour; often with a mount."""
    if photographs and rng.random() < 0.7:
        whole = photographs[rng.integers(len(photographs))]
        side = int(min(whole.shape[:2]) * rng.uniform(0.4, 1))
        top, left = (int(rng.integers(0, whole.shape[k] - side + 1)) for k in (0, 1))
        at = np.linspace(0, side - 1, TEXTURE).astype(int)
        picture = whole[top + at[:, None], left + at] / 255
    else:
        base = [colour(rng, rng.uniform(0.1, 0.9), 0.7) for _ in range(3)]
        blots = smooth(rng, int(rng.choice([2, 4])), int(rng.integers(1, 4)))
        picture = np.select([blots[..., None] < -0.4, blots[..., None] < 0.5], base[:2], base[2])
    frame = int(rng.integers(2, 7))
    edge = np.minimum.reduce(
        [*np.mgrid[:TEXTURE, :TEXTURE], *np.mgrid[:TEXTURE, :TEXTURE][:, ::-1, ::-1]]
    )
    if rng.random() < 0.4:
        picture = np.where((edge < frame * 3)[..., None], _CREAM, picture)
    return _byte(
        np.where((edge < frame)[..., None], colour(rng, rng.uniform(0.05, 0.8), 0.3), picture)
    )
