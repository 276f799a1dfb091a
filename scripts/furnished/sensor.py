"""From linear light to an 8-bit picture: exposure, colour, lens, noise, tone."""

from __future__ import annotations

import numpy as np


def photograph(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture [height, width, 3] uint8 that some camera takes of the light."""
    value = _lens(light.astype(np.float32), rng)
    value = value * _exposure(value, rng)
    gain = np.exp(rng.normal(0, 0.06, 3))
    grey = value.mean((0, 1))
    # white balance: part of the way to a grey mean
    balance = (grey.mean() / np.maximum(grey, 1e-4)) ** rng.uniform(0.0, 0.9)
    value = value * (gain * balance).astype(np.float32)
    value = _noisy(_saturated(value, rng), rng)
    return _toned(value, rng)


def _lens(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A faint blur, some flare from what is bright, and darker corners."""
    value = np.minimum(value, 40 * np.median(value) + 1e-3)
    for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.35, 0.15]))):
        value = _blurred(value, float(rng.uniform(0.03, 0.2)))
    value = value + value.mean((0, 1)) * rng.uniform(0, 0.04)
    height, width = value.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    fall = 1 - rng.uniform(0, 0.45) * (x * x + y * y) / 2
    return value * fall[..., None].astype(np.float32)


def _blurred(value: np.ndarray, weight: float) -> np.ndarray:
    for axis in (0, 1):
        wide = np.concatenate([np.take(value, [0], axis), value, np.take(value, [-1], axis)], axis)
        count = value.shape[axis]
        low = np.take(wide, range(count), axis)
        high = np.take(wide, range(2, count + 2), axis)
        value = value * (1 - 2 * weight) + (low + high) * weight
    return value


def _exposure(value: np.ndarray, rng: np.random.Generator) -> float:
    """So that the mean of what is not blown out is about middle grey."""
    grey = value.mean(2)
    level = np.minimum(grey, np.percentile(grey, 80) * 1.5).mean()
    return float(np.exp(rng.normal(np.log(0.24), 0.35)) / max(float(level), 1e-4))


def _saturated(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    grey = value.mean(2, keepdims=True)
    return np.maximum(grey + (value - grey) * rng.uniform(0.65, 1.15), 0)


def _noisy(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shot and read noise."""
    shot, read = rng.uniform(0, 0.001), rng.uniform(0, 0.004)
    deviation = np.sqrt(shot * value + read * read)
    return np.maximum(value + rng.normal(size=value.shape) * deviation, 0)


def _toned(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Highlights rolled off, sRGB, some contrast."""
    knee = rng.uniform(0.55, 0.9)
    over = np.maximum(value - knee, 0)
    rolled = np.minimum(value, knee) + over / (1 + over / (1.05 - knee))
    curve = 1.055 * np.maximum(rolled, 0.0031308) ** (1 / 2.4) - 0.055
    encoded = np.where(rolled <= 0.0031308, rolled * 12.92, curve)
    contrast = rng.uniform(0.85, 1.2)
    return (np.clip(0.45 + (encoded - 0.45) * contrast, 0, 1) * 255).round().astype(np.uint8)
