"""Pinhole cameras in a room: where they stand, and the rays of their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A place, a direction and an angle of view."""

    position: np.ndarray  # [3]
    axes: np.ndarray  # [3, 3]: right, down and forward in the room, by rows
    focal_px: float
    size: tuple[int, int]  # height, width

    @staticmethod
    def looking(
        position: np.ndarray,
        *,
        yaw: float,
        pitch: float,
        roll: float,
        view: float,
        size: tuple[int, int],
    ) -> Camera:
        """A camera by its angles in radians.

        Args:
            position: in the room.
            yaw: about y; 0 looks along +z, pi / 2 along +x.
            pitch: above the horizon.
            roll: clockwise, as the camera is turned.
            view: the horizontal angle of view.
            size: height and width of the picture in pixels.
        """
        cp = math.cos(pitch)
        forward = np.array([math.sin(yaw) * cp, math.sin(pitch), math.cos(yaw) * cp])
        # seen along +z with y up, +x is on the left
        right = np.array([-math.cos(yaw), 0, math.sin(yaw)])
        down = np.cross(forward, right)
        c, s = math.cos(roll), math.sin(roll)
        axes = np.stack([c * right + s * down, c * down - s * right, forward])
        focal = size[1] / 2 / math.tan(view / 2)
        return Camera(position=np.asarray(position), axes=axes, focal_px=focal, size=size)

    def points(self) -> np.ndarray:
        """The centres of the pixels, [height * width, 2] in pixels, rows first in order."""
        height, width = self.size
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        return np.stack([x, y], -1).reshape(-1, 2)

    def rays(self, points: np.ndarray) -> np.ndarray:
        """Directions in the room, [points, 3], as long as their share along the axis is 1.

        The distance along such a ray is the z-depth.
        """
        height, width = self.size
        x = (points[:, 0] - width / 2) / self.focal_px
        y = (points[:, 1] - height / 2) / self.focal_px
        return (np.stack([x, y, np.ones_like(x)], 1) @ self.axes).astype(np.float32)

    def intrinsics(self) -> tuple[float, float, float, float]:
        """fx, fy, cx, cy in pixels."""
        height, width = self.size
        return self.focal_px, self.focal_px, width / 2, height / 2
