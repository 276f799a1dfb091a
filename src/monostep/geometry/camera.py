"""Pinhole camera: pixels to rays, depth to points (OpenCV axes, pixel centres at + 0.5)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Focal lengths and principal point in pixels of an image."""

    focal_x_px: float
    focal_y_px: float
    centre_x_px: float
    centre_y_px: float

    def rays(self, height: int, width: int) -> Float[Tensor, "3 height width"]:
        """Direction through every pixel centre, with z = 1."""
        rows = (torch.arange(height) + 0.5 - self.centre_y_px) / self.focal_y_px
        columns = (torch.arange(width) + 0.5 - self.centre_x_px) / self.focal_x_px
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        return torch.stack([x, y, torch.ones_like(x)])

    def points(self, depth_m: Float[Tensor, "height width"]) -> Float[Tensor, "3 height width"]:
        """Point seen at every pixel, in the unit of the depth."""
        return self.rays(*depth_m.shape).to(depth_m) * depth_m
