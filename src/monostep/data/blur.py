"""Out of focus, or shaken: images convolved with a Gaussian or with a line."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Image = Float[Tensor, "3 height width"]
REACH = 4.0  # a Gaussian ends at so many deviations
LEAST = 1e-3  # a deviation or length below it leaves the image as it is


def focused(image: Image, deviation: float) -> Image:
    """The image convolved with a Gaussian of this deviation in pixels; its edges are repeated."""
    if deviation < LEAST:
        return image
    reach = math.ceil(REACH * deviation)
    places = torch.arange(-reach, reach + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-(places**2) / (2 * deviation**2))
    kernel = kernel / kernel.sum()
    return _convolved(_convolved(image, kernel[None]), kernel[:, None])


def shaken(image: Image, length: float, angle_deg: float) -> Image:
    """The image convolved with a line of this length in pixels; its edges are repeated.

    Args:
        image: RGB.
        length: of the line; 1 and below leave the image as it is.
        angle_deg: of the line, 0 to the right and rising counter-clockwise.
    """
    if length <= 1:
        return image
    return _convolved(image, line(length, angle_deg).to(image))


def line(length: float, angle_deg: float) -> Float[Tensor, "size size"]:
    """Kernel of a line through the centre, each point of it shared between its four pixels."""
    half = (length - 1) / 2
    reach = math.ceil(half)
    points = torch.linspace(-half, half, max(2, 8 * reach + 1), dtype=torch.float64)
    angle = math.radians(angle_deg)
    x, y = points * math.cos(angle), -points * math.sin(angle)
    places = torch.arange(-reach, reach + 1, dtype=torch.float64)
    near_x = (1 - (places[None] - x[:, None]).abs()).clamp_min(0)
    near_y = (1 - (places[None] - y[:, None]).abs()).clamp_min(0)
    kernel = near_y.T @ near_x
    return kernel / kernel.sum()


def _convolved(image: Image, kernel: Float[Tensor, "rows columns"]) -> Image:
    rows, columns = kernel.shape
    pad = (columns // 2, columns // 2, rows // 2, rows // 2)
    # Kernels are the same after half a turn, so correlation is convolution.
    padded = F.pad(image[:, None], pad, mode="replicate")
    return F.conv2d(padded, kernel[None, None])[:, 0]
