"""What the files of a row say of the geometry, on the image's grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from monostep.data import stored_maps
from monostep.data.manifest import Declaration, Row
from monostep.data.metres import is_sky, z_depth
from monostep.errors import InputError
from monostep.geometry import frames, nearest
from monostep.geometry.camera import Camera
from monostep.geometry.d2nt import normals_from_depth

Size = tuple[int, int]
SAME_ASPECT = 0.01  # by which the aspect ratios of an image and its maps may differ


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Depth, normals (None: not known at all) and where they hold."""

    depth_m: Float[Tensor, "height width"]
    normals: Float[Tensor, "3 height width"] | None
    valid: Bool[Tensor, "height width"]
    sky: Bool[Tensor, "height width"]


def can_have_normals(row: Row, declaration: Declaration) -> bool:
    """Whether a row gives normals: from their file, or from metric depth and intrinsics."""
    return row.normals is not None or (
        row.depth is not None
        and row.intrinsics_px is not None
        and declaration.unit != "relative"  # an unknown shift bends every plane
    )


def read(row: Row, declaration: Declaration, size: Size, *, normals: bool = True) -> Geometry:
    """Depth, normals and mask of a row whose image has this (height, width).

    Maps of other sizes are brought to it by nearest neighbour, once metres and normals are known.
    Without `normals` they are not looked at where there is depth.

    Raises:
        InputError: a file that is missing, unreadable or does not fit the image; with its name.
        MissingExtraError: a format needs an extra package.
    """
    mask = None if row.mask is None else _fitting(stored_maps.read_mask(row.mask), row.mask, size)
    if row.depth is not None:
        surface = _surface(row.depth, row, declaration, size)
        directions = _normals_beside(surface, mask, row, declaration) if normals else None
    elif row.normals is not None:
        directions = _normals(row.normals, declaration, size)
        surface = _Surface(
            depth_m=torch.zeros(size),
            valid=directions.any(dim=0),
            sky=torch.zeros(size, dtype=torch.bool),
            camera=None,
            image=size,
        )
    else:
        raise InputError(f"{row.image}: the row has neither depth nor normals")
    valid = nearest.resize(surface.valid, size)
    if mask is not None:
        valid = valid & nearest.resize(mask, size)
    return Geometry(
        depth_m=torch.where(valid, nearest.resize(surface.depth_m, size), 0),
        normals=None if directions is None else torch.where(valid, directions, 0),
        valid=valid,
        sky=nearest.resize(surface.sky, size),
    )


def onto(
    values: Shaped[Tensor, "*any height width"], path: Path, size: Size
) -> Shaped[Tensor, "*any new_height new_width"]:
    """The map of this file on the image's grid (raises InputError for another aspect ratio)."""
    return nearest.resize(_fitting(values, path, size), size)


def _fitting(
    values: Shaped[Tensor, "*any height width"], path: Path, size: Size
) -> Shaped[Tensor, "*any height width"]:
    height, width = values.shape[-2:]
    if abs(height * size[1] / (width * size[0]) - 1) > SAME_ASPECT:
        raise InputError(
            f"{path}: size {width}x{height} does not fit the image's size {size[1]}x{size[0]}; "
            "expected the same aspect ratio"
        )
    return values


@dataclass(frozen=True, kw_only=True)
class _Surface:
    """What a depth map says, on its own grid."""

    depth_m: Float[Tensor, "height width"]
    valid: Bool[Tensor, "height width"]
    sky: Bool[Tensor, "height width"]
    camera: Camera | None  # in pixels of this grid
    image: Size


def _surface(path: Path, row: Row, declaration: Declaration, size: Size) -> _Surface:
    stored, about = stored_maps.read_depth(path)
    _agree(about, {"unit": declaration.unit, "quantity": declaration.quantity}, path)
    if declaration.quantity == "disparity" and about.get("invariance") == "affine":
        raise InputError(f"{path}: a disparity known up to scale and shift has no depth; leave out")
    grid = (stored.shape[0], stored.shape[1])
    camera = camera_of(row, image=size, grid=grid)
    if declaration.quantity == "distance" and camera is None:
        raise InputError(f"{path}: z-depth of a distance needs the camera; give intrinsics_px")
    rays = None if camera is None else camera.rays(*grid)
    depth_m, valid = z_depth(_fitting(stored, path, size), declaration, rays)
    sky = is_sky(stored, declaration)
    return _Surface(depth_m=depth_m, valid=valid, sky=sky, camera=camera, image=size)


def _normals_beside(
    surface: _Surface,
    mask: Bool[Tensor, "mask_height mask_width"] | None,
    row: Row,
    declaration: Declaration,
) -> Float[Tensor, "3 image_height image_width"] | None:
    """Normals of their file, or of the depth, on the image's grid; None if there are neither.

    They are derived on the depth's own grid: once pixels are repeated, neighbours are steps.
    """
    if row.normals is not None:
        return _normals(row.normals, declaration, surface.image)
    if surface.camera is None or not can_have_normals(row, declaration):
        return None
    depth_m, usable = surface.depth_m, surface.valid
    if mask is not None:
        usable = usable & nearest.resize(mask, (depth_m.shape[0], depth_m.shape[1]))
    derived = normals_from_depth(depth_m, matrix(surface.camera), valid=usable)
    return nearest.resize(derived, surface.image)


def _normals(path: Path, declaration: Declaration, size: Size) -> Float[Tensor, "3 height width"]:
    stored, about = stored_maps.read_normals(path)
    _agree(about, {"frame": declaration.frame}, path)
    return onto(frames.convert(stored, source=declaration.frame, target="opencv"), path, size)


def _agree(about: Mapping[str, Any], declared: Mapping[str, str], path: Path) -> None:
    """Refuse a map that says something else of itself than its manifest says."""
    for name, value in declared.items():
        said = about.get(name, value) or "relative"  # our maps without scale have no unit
        if said != value:
            raise InputError(
                f"{path}: the file says {name} {said}, the manifest {value}; correct the manifest"
            )


def matrix(camera: Camera) -> Float[Tensor, "3 3"]:
    """The camera as the matrix that takes points to pixels."""
    x, y = [camera.focal_x_px, 0, camera.centre_x_px], [0, camera.focal_y_px, camera.centre_y_px]
    return torch.tensor([x, y, [0, 0, 1]], dtype=torch.float32)


def camera_of(row: Row, *, image: Size, grid: Size) -> Camera | None:
    """The row's camera in pixels of another grid over the same picture."""
    if row.intrinsics_px is None:
        return None
    fx, fy, cx, cy = row.intrinsics_px
    y, x = grid[0] / image[0], grid[1] / image[1]
    return Camera(focal_x_px=fx * x, focal_y_px=fy * y, centre_x_px=cx * x, centre_y_px=cy * y)
