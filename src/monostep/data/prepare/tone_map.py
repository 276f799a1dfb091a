"""Hypersim's linear colours to sRGB-like bytes, exposed as its authors do."""

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

_LUMA = np.array([0.3, 0.59, 0.11])
_GAMMA = 1 / 2.2
_PERCENTILE, _BRIGHTNESS = 90, 0.8  # this share of the pixels stays below this brightness
_DARK = 1e-4  # linear; an image whose percentile lies below is black


def tone_map(
    colour: Shaped[np.ndarray, "height width 3"], valid: Bool[np.ndarray, "height width"]
) -> UInt8[np.ndarray, "height width 3"]:
    """Return 8-bit colours of linear ones, any exposure; `valid` pixels alone set the exposure.

    What is not a number becomes 0. Source: the tone mapping in apple/ml-hypersim, cut to bytes by
    truncation as Marigold's preparation does.
    """
    linear = np.nan_to_num(colour.astype(np.float64), nan=0.0)
    scaled = np.maximum(exposure(linear[valid]) * linear, 0.0)
    return (np.clip(scaled**_GAMMA, 0.0, 1.0) * 255).astype(np.uint8)


def exposure(linear: Float[np.ndarray, "count 3"]) -> float:
    """Return the factor that brings the 90th percentile of the brightness to 0.8 of white."""
    if not len(linear):
        return 1.0
    high = float(np.percentile(linear @ _LUMA, _PERCENTILE))
    return 0.0 if high < _DARK else _BRIGHTNESS ** (1 / _GAMMA) / high
