"""Depth as 16-bit millimetres, where 0 means that there is none."""

import numpy as np
from jaxtyping import Float, UInt16

PER_M = 1000


def encode(depth_m: Float[np.ndarray, "height width"]) -> UInt16[np.ndarray, "height width"]:
    """Return the nearest millimetres; 0 for what does not fit, is not positive or no number.

    A cast alone would wrap: 70 m would come back as 4.464 m and look valid.
    """
    codes = np.rint(depth_m.astype(np.float64) * PER_M)
    fits = (codes >= 1) & (codes <= np.iinfo(np.uint16).max)  # false for NaN
    return np.where(fits, codes, 0).astype(np.uint16)
