"""The surface at a hit: its point, normal, texture coordinates and material."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from monostep.data.procedural.camera import Vector, dot, unit
from monostep.data.procedural.scene import Scene, Solids
from monostep.data.procedural.trace import Hit

FARTHEST_M = 1e4  # stands in for the depth of the sky, to keep the arithmetic finite


@dataclass(frozen=True, kw_only=True)
class Surface:
    """What every ray meets. Where `present` is False the other fields mean nothing."""

    present: Bool[Tensor, "batch height width"]
    point_m: Vector
    normal: Vector  # unit, facing the ray
    u_m: Float[Tensor, "batch height width"]  # texture coordinates, in the frame of the solid
    v_m: Float[Tensor, "batch height width"]
    material: Int[Tensor, "batch height width"]  # row of Scene.materials


def surface(scene: Scene, hit: Hit, direction: Vector) -> Surface:
    """Return the surface that rays from the camera along `direction` hit."""
    present = hit.solid >= 0
    solid = hit.solid.clamp_min(0)
    t = hit.t.clamp_max(FARTHEST_M)
    point = (t * direction[0], t * direction[1], t * direction[2])
    groups = (scene.rooms, scene.boxes, scene.cylinders, scene.ellipsoids)
    axes, centre, half, material = _look_up(groups, solid)
    from_centre = (point[0] - centre[0], point[1] - centre[1], point[2] - centre[2])
    local = (dot(axes[0], from_centre), dot(axes[1], from_centre), dot(axes[2], from_centre))
    ends = [0]
    for group in groups:
        ends.append(ends[-1] + len(group))
    is_room, is_cylinder, is_ellipsoid = (
        solid < ends[1],
        (solid >= ends[2]) & (solid < ends[3]),
        solid >= ends[3],
    )
    outward = _outward(local, half, is_cylinder, is_ellipsoid)
    face = _face(outward)
    normal = unit(_combination(axes, outward))
    normal = _facing(normal, direction, is_room)
    return Surface(
        present=present,
        point_m=point,
        normal=normal,
        u_m=torch.where(face // 2 == 0, local[1], local[0]),
        v_m=torch.where(face // 2 == 2, local[1], local[2]),
        material=material + torch.where(is_room, face, 0),
    )


def _combination(axes: tuple[Vector, Vector, Vector], weights: Vector) -> Vector:
    """Return the sum of the axes, each times its weight."""
    columns = zip(*axes, strict=True)
    x, y, z = (dot((a, b, c), weights) for a, b, c in columns)
    return x, y, z


def _look_up(
    groups: tuple[Solids, ...], solid: Int[Tensor, "batch height width"]
) -> tuple[tuple[Vector, Vector, Vector], Vector, Vector, Tensor]:
    """Return axes, centre, half sizes and material of the solids with these indices."""
    index, shape = solid.flatten(1), solid.shape
    table = torch.cat(
        [
            torch.cat([group.axes.flatten(2) for group in groups], dim=1),
            torch.cat([group.centre_m for group in groups], dim=1),
            torch.cat([group.half_m for group in groups], dim=1),
        ],
        dim=2,
    )
    c = [column.gather(1, index).reshape(shape) for column in table.unbind(2)]
    material = torch.cat([group.material for group in groups], dim=1).gather(1, index)
    axes = ((c[0], c[1], c[2]), (c[3], c[4], c[5]), (c[6], c[7], c[8]))
    return axes, (c[9], c[10], c[11]), (c[12], c[13], c[14]), material.reshape(shape)


def _outward(local: Vector, half: Vector, is_cylinder: Tensor, is_ellipsoid: Tensor) -> Vector:
    """Return an outward normal of any length, in the frame of the solid."""
    x, y, z = (position / size for position, size in zip(local, half, strict=True))
    square_radius = x * x + y * y
    on_side = is_cylinder & (square_radius > z * z)
    flat = ~(on_side | is_ellipsoid)
    width, depth = x.abs(), y.abs()
    height = torch.where(is_cylinder, 2.0, z.abs())
    face_z = (height >= width) & (height >= depth)
    face_x = ~face_z & (width >= depth)
    return (
        torch.where(flat, torch.where(face_x, x, 0.0), x / half[0]),
        torch.where(flat, torch.where(face_z | face_x, 0.0, y), y / half[1]),
        torch.where(flat, torch.where(face_z, z, 0.0), torch.where(on_side, 0.0, z / half[2])),
    )


def _face(outward: Vector) -> Tensor:
    """Return the face the normal points through most: -x, +x, -y, +y, -z, +z as 0 to 5."""
    x, y, z = (part.abs() for part in outward)
    along_z = (z >= x) & (z >= y)
    along_x = ~along_z & (x >= y)
    return torch.where(
        along_z,
        4 + (outward[2] > 0).long(),
        torch.where(along_x, (outward[0] > 0).long(), 2 + (outward[1] > 0).long()),
    )


def _facing(normal: Vector, direction: Vector, is_room: Tensor) -> Vector:
    """Return the normal turned inward in rooms, and bent to face rays that graze the outline."""
    sign = torch.where(is_room, -1.0, 1.0)
    inward = (normal[0] * sign, normal[1] * sign, normal[2] * sign)
    away = (dot(inward, direction) + 1e-5).clamp_min(0) / dot(direction, direction)
    bend = away * 1.0001
    return unit(
        (
            inward[0] - bend * direction[0],
            inward[1] - bend * direction[1],
            inward[2] - bend * direction[2],
        )
    )
