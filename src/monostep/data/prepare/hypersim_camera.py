"""The cameras of Hypersim's scenes: rays of pixels, distance to depth, axes of normals.

Many scenes have a tilt-shift lens: the sensor is not perpendicular to the camera's axis. The
matrix M_cam_from_uv of metadata_camera_parameters.csv gives the ray of every pixel in the camera's
axes. It is a rotation times an upper triangular matrix (QR), and the triangle is an ordinary
pinhole in the axes of the *sensor*, its principal point off the centre: of the 482 scenes all have
square pixels (to 2e-4), and 18 shear by more than half a pixel. So depth here is along the sensor's
normal, and normals turn with it: depth, normals and intrinsics then agree exactly. 272 scenes tilt,
by up to 41 degrees.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from monostep.errors import InputError

_CONSTANT_PX = 886.81
_MOST_SHEAR_PX = 0.5
_OPENCV = np.array([1.0, -1.0, -1.0])  # the camera's axes are right, up, back
_COLUMNS = [f"M_cam_from_uv_{row}{column}" for row in range(3) for column in range(3)]

Rays = Float[np.ndarray, "height width 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneCamera:
    """Rays from u to the right and v up in [-1, 1], in the sensor's OpenCV axes, with z = 1."""

    rays_from_uv: Float[np.ndarray, "3 3"]  # upper triangular but for signs
    sensor_from_camera: Float[np.ndarray, "3 3"]  # OpenCV axes from right, up, back

    def rays(self, height: int, width: int) -> Rays:
        """Direction through every pixel centre, with z = 1."""
        u = (2 * np.arange(width) + 1) / width - 1
        v = 1 - (2 * np.arange(height) + 1) / height
        uv = np.stack([*np.meshgrid(u, v), np.ones((height, width))], axis=-1)
        return uv @ self.rays_from_uv.T

    def depth(self, distance: Shaped[np.ndarray, "height width"]) -> Float[np.ndarray, "_ _"]:
        """Depth along the sensor's normal of points at `distance` from the camera, its unit."""
        return distance.astype(np.float64) / np.linalg.norm(self.rays(*distance.shape), axis=-1)

    def facing(self, normals: Shaped[np.ndarray, "height width 3"]) -> Rays:
        """Unit normals in the sensor's OpenCV axes, towards the camera; NaN where there is none.

        Args:
            normals: in the camera's axes (right, up, back), of any length and either side.
        """
        finite = np.isfinite(normals).all(axis=-1, keepdims=True)
        turned = np.where(finite, normals, 0).astype(np.float64) @ self.sensor_from_camera.T
        length = np.linalg.norm(turned, axis=-1, keepdims=True)
        unit = np.where(length > 0, turned / np.where(length > 0, length, 1), np.nan)
        away = (unit * self.rays(*normals.shape[:2])).sum(axis=-1, keepdims=True) > 0
        return np.where(away, -unit, unit)

    def intrinsics_px(self, height: int, width: int) -> tuple[float, float, float, float] | None:
        """fx, fy, cx, cy with pixel centres at + 0.5; None if shear moves a pixel by over half."""
        (x_u, x_v, x_1), (_, y_v, y_1), _ = self.rays_from_uv
        fx, fy = width / (2 * x_u), -height / (2 * y_v)
        if abs(x_v * fx) > _MOST_SHEAR_PX:
            return None
        return float(fx), float(fy), float(width / 2 - fx * x_1), float(height / 2 - fy * y_1)


def of_matrix(cam_from_uv: Float[np.ndarray, "3 3"]) -> SceneCamera:
    """Return the camera of a scene's M_cam_from_uv (InputError if it is none)."""
    rotation, triangle = np.linalg.qr(cam_from_uv)
    signs = np.sign(np.diag(triangle)) * [1, 1, -1]  # u goes right, v up, the scene lies at -z
    rotation, triangle = rotation * signs, triangle * signs[:, None]
    if not np.linalg.det(rotation) > 0 or not abs(triangle[2, 2]) > 0:
        raise InputError("M_cam_from_uv is singular or mirrors the image")
    return SceneCamera(
        rays_from_uv=_OPENCV[:, None] * triangle / -triangle[2, 2],
        sensor_from_camera=_OPENCV[:, None] * rotation.T,
    )


def constant() -> SceneCamera:
    """Return the one camera that Marigold and E2E-FT take for all scenes: 886.81 px at 1024 x 768.

    Most scenes have it; on a frame of ai_037_002, whose lens is shifted, the depths are off by
    2.1 % on average.
    """
    return SceneCamera(
        rays_from_uv=np.diag([512 / _CONSTANT_PX, -384 / _CONSTANT_PX, 1.0]),
        sensor_from_camera=np.diag(_OPENCV),
    )


def read(path: Path) -> dict[str, SceneCamera]:
    """Return the cameras by scene from metadata_camera_parameters.csv.

    Raises:
        InputError: the file is missing or not that table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {row["scene_name"]: of_matrix(_matrix(row)) for row in csv.DictReader(file)}
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); take metadata_camera_parameters.csv "
            "from Hypersim's contrib folder, or choose the constant camera"
        ) from error
    except (LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not Hypersim's camera parameters ({reason})") from error


def _matrix(row: dict[str, str]) -> Float[np.ndarray, "3 3"]:
    return np.array([float(row[name]) for name in _COLUMNS]).reshape(3, 3)
