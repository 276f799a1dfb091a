"""A scene being set: solids, lights and a camera in a world whose z axis points up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.procedural import look
from monostep.data.procedural.material import Material, table
from monostep.data.procedural.scene import Lights, Scene, Solids

Point = tuple[float, float, float]
ROOM, BOX, CYLINDER, ELLIPSOID = range(4)  # the shapes, in the order of the fields of Scene
_CLEARANCE_M = 0.12  # no solid is nearer to the camera than this


@dataclass(frozen=True, kw_only=True)
class Solid:
    """One solid: a unit shape scaled by `half_m`, tilted, turned about z and put at `centre_m`."""

    shape: int
    centre_m: Point
    half_m: Point
    material: Material
    yaw_rad: float = 0.0
    tilt_rad: float = 0.0  # about its own first axis, before the yaw
    faces: tuple[Material, ...] = ()  # of a room: -x, +x, -y, +y, floor, ceiling

    def axes(self) -> tuple[Point, Point, Point]:
        """Return the axes of the solid in the world, as rows."""
        c, s = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        ct, st = math.cos(self.tilt_rad), math.sin(self.tilt_rad)
        return (c, s, 0.0), (-s * ct, c * ct, st), (s * st, -c * st, ct)


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Where the camera is and how it is turned: yaw from +y, pitch up, roll clockwise."""

    position_m: Point
    yaw_rad: float
    pitch_rad: float = 0.0
    roll_rad: float = 0.0

    def axes(self) -> Float[Tensor, "3 3"]:
        """Return the camera's right, down and forward directions in the world, as rows."""
        cy, sy = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        cp, sp = math.cos(self.pitch_rad), math.sin(self.pitch_rad)
        cr, sr = math.cos(self.roll_rad), math.sin(self.roll_rad)
        right, forward = (cy, -sy, 0.0), (sy * cp, cy * cp, sp)
        down = (sy * sp, cy * sp, -cp)
        rows = [
            [cr * r + sr * d for r, d in zip(right, down, strict=True)],
            [cr * d - sr * r for r, d in zip(right, down, strict=True)],
            list(forward),
        ]
        return torch.tensor(rows, dtype=torch.float64)


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """A point light, as bright as to give irradiance `colour` (times pi) at `reference_m`."""

    position_m: Point
    colour: Point
    reference_m: float


@dataclass(kw_only=True)
class Stage:
    """Everything put on the stage so far."""

    kind: int
    solids: list[Solid] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)

    def put(self, parts: Sequence[Solid], at_m: Point, yaw_rad: float = 0.0) -> None:
        """Add solids given about an origin of their own, which is put at `at_m` and turned."""
        c, s = math.cos(yaw_rad), math.sin(yaw_rad)
        for part in parts:
            x, y, z = part.centre_m
            centre = (at_m[0] + c * x - s * y, at_m[1] + s * x + c * y, at_m[2] + z)
            self.solids.append(replace(part, centre_m=centre, yaw_rad=part.yaw_rad + yaw_rad))

    def scene(self, pose: Pose, focal: float, look_of_image: look.Look) -> Scene:
        """Return the scene as a camera at `pose` sees it; solids that touch it are left out."""
        turn = pose.axes()
        eye = torch.tensor(pose.position_m, dtype=torch.float64)
        kept = [
            solid for solid in self.solids if solid.shape == ROOM or _clear(solid, pose.position_m)
        ]
        materials: list[Material] = []
        groups = [_solids(kept, shape, materials, turn, eye) for shape in range(4)]
        lamps = self.lamps
        spot = torch.tensor([p.position_m for p in lamps], dtype=torch.float64).reshape(-1, 3)
        power = [[c * lamp.reference_m**2 for c in lamp.colour] for lamp in lamps]
        return Scene(
            kind=torch.tensor([self.kind]),
            focal=torch.tensor([focal]),
            up=turn[:, 2].float()[None],
            rooms=groups[ROOM],
            boxes=groups[BOX],
            cylinders=groups[CYLINDER],
            ellipsoids=groups[ELLIPSOID],
            lights=Lights(
                position_m=((spot - eye) @ turn.T).float()[None],
                intensity=torch.tensor(power, dtype=torch.float32).reshape(1, -1, 3),
            ),
            materials=table(materials),
            look=look.row(look_of_image),
        )


def _clear(solid: Solid, point_m: Point) -> bool:
    offset = [p - c for p, c in zip(point_m, solid.centre_m, strict=True)]
    along = [abs(sum(a * o for a, o in zip(axis, offset, strict=True))) for axis in solid.axes()]
    return any(d > h + _CLEARANCE_M for d, h in zip(along, solid.half_m, strict=True))


def _solids(
    solids: list[Solid],
    shape: int,
    materials: list[Material],
    turn: Float[Tensor, "3 3"],
    eye: Float[Tensor, " 3"],
) -> Solids:
    """Return the solids of one shape in the camera's frame, their materials appended."""
    chosen = [solid for solid in solids if solid.shape == shape]
    numbers = []
    for solid in chosen:
        numbers.append(len(materials))
        materials.extend(solid.faces or (solid.material,))
    centre = torch.tensor([s.centre_m for s in chosen], dtype=torch.float64).reshape(-1, 3)
    axes = torch.tensor([s.axes() for s in chosen], dtype=torch.float64).reshape(-1, 3, 3)
    half = torch.tensor([s.half_m for s in chosen], dtype=torch.float32).reshape(-1, 3)
    return Solids(
        centre_m=((centre - eye) @ turn.T).float()[None],
        axes=(axes @ turn.T).float()[None],
        half_m=half[None],
        material=torch.tensor(numbers, dtype=torch.int64)[None],
    )
