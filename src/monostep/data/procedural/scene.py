"""What a scene is: solids, materials, lights and a look, in the frame of its camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

FAR_BEHIND_M = -1e6  # where the padding of a batch is hidden: behind the camera, a speck


@dataclass(frozen=True, kw_only=True)
class Solids:
    """Solids of one shape: the unit shape, stretched by `half_m` along the rows of `axes`."""

    centre_m: Float[Tensor, "batch solids 3"]
    axes: Float[Tensor, "batch solids 3 3"]
    half_m: Float[Tensor, "batch solids 3"]
    material: Int[Tensor, "batch solids"]  # row of Scene.materials; a room uses six, by face

    def __len__(self) -> int:
        """Return the number of solids a scene has, padding included."""
        return self.centre_m.shape[1]

    def mirrored(self) -> Solids:
        """Return the solids mirrored left-right, in the plane x = 0 of the camera."""
        mirror = self.centre_m.new_tensor([-1.0, 1.0, 1.0])
        return replace(self, centre_m=self.centre_m * mirror, axes=self.axes * mirror)

    def padded(self, count: int) -> Solids:
        """Return `count` solids: these, then specks that no ray meets."""
        extra = count - len(self)
        axes = torch.cat(
            [self.axes, torch.eye(3).to(self.axes).expand(self.axes.shape[0], extra, 3, 3)], dim=1
        )
        return Solids(
            centre_m=pad(self.centre_m, (0, 0, 0, extra), value=FAR_BEHIND_M),
            axes=axes,
            half_m=pad(self.half_m, (0, 0, 0, extra), value=1e-3),
            material=pad(self.material, (0, extra)),
        )

    def to(self, device: torch.device | str) -> Solids:
        """Return the solids with every tensor on `device`."""
        return Solids(
            centre_m=self.centre_m.to(device),
            axes=self.axes.to(device),
            half_m=self.half_m.to(device),
            material=self.material.to(device),
        )

    @staticmethod
    def stack(parts: Sequence[Solids]) -> Solids:
        """Return the solids of several batches as one batch, padded to the longest."""
        count = max(len(part) for part in parts)
        rows = [part.padded(count) for part in parts]
        return Solids(
            centre_m=torch.cat([row.centre_m for row in rows]),
            axes=torch.cat([row.axes for row in rows]),
            half_m=torch.cat([row.half_m for row in rows]),
            material=torch.cat([row.material for row in rows]),
        )


@dataclass(frozen=True, kw_only=True)
class Lights:
    """Point lights; the sun is one that is very far away. Unused ones are black."""

    position_m: Float[Tensor, "batch lights 3"]
    intensity: Float[Tensor, "batch lights 3"]  # irradiance x m^2, linear RGB

    def mirrored(self) -> Lights:
        """Return the lights mirrored left-right."""
        return replace(
            self, position_m=self.position_m * self.position_m.new_tensor([-1.0, 1.0, 1.0])
        )

    def to(self, device: torch.device | str) -> Lights:
        """Return the lights with every tensor on `device`."""
        return Lights(
            position_m=self.position_m.to(device),
            intensity=self.intensity.to(device),
        )

    @staticmethod
    def stack(parts: Sequence[Lights]) -> Lights:
        """Return the lights of several batches as one batch, padded with black ones."""
        count = max(part.position_m.shape[1] for part in parts)
        missing = [count - part.position_m.shape[1] for part in parts]
        rows = list(zip(parts, missing, strict=True))
        return Lights(
            position_m=torch.cat([pad(p.position_m, (0, 0, 0, n), value=1.0) for p, n in rows]),
            intensity=torch.cat([pad(p.intensity, (0, 0, 0, n)) for p, n in rows]),
        )


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A batch of scenes in their cameras' frames (x right, y down, z forward, metres)."""

    kind: Int[Tensor, " batch"]  # index into KINDS
    focal: Float[Tensor, " batch"]  # focal length in image widths
    up: Float[Tensor, "batch 3"]  # unit, away from the ground
    rooms: Solids  # boxes seen from inside
    boxes: Solids
    cylinders: Solids  # round about their third axis
    ellipsoids: Solids
    lights: Lights
    materials: Mapping[str, Float[Tensor, "batch materials"]]  # columns: fields of Material
    look: Mapping[str, Float[Tensor, " batch"]]  # fields of Look

    def mirrored(self) -> Scene:
        """Return the scene as a mirror shows it: left and right exchanged."""
        return replace(
            self,
            up=self.up * self.up.new_tensor([-1.0, 1.0, 1.0]),
            rooms=self.rooms.mirrored(),
            boxes=self.boxes.mirrored(),
            cylinders=self.cylinders.mirrored(),
            ellipsoids=self.ellipsoids.mirrored(),
            lights=self.lights.mirrored(),
        )

    def to(self, device: torch.device | str) -> Scene:
        """Return the scene with every tensor on `device`."""
        return Scene(
            kind=self.kind.to(device),
            focal=self.focal.to(device),
            up=self.up.to(device),
            rooms=self.rooms.to(device),
            boxes=self.boxes.to(device),
            cylinders=self.cylinders.to(device),
            ellipsoids=self.ellipsoids.to(device),
            lights=self.lights.to(device),
            materials={name: column.to(device) for name, column in self.materials.items()},
            look={name: column.to(device) for name, column in self.look.items()},
        )

    @staticmethod
    def stack(parts: Sequence[Scene]) -> Scene:
        """Return several batches of scenes as one, padded to the largest."""
        rows = max(next(iter(part.materials.values())).shape[1] for part in parts)
        return Scene(
            kind=torch.cat([part.kind for part in parts]),
            focal=torch.cat([part.focal for part in parts]),
            up=torch.cat([part.up for part in parts]),
            rooms=Solids.stack([part.rooms for part in parts]),
            boxes=Solids.stack([part.boxes for part in parts]),
            cylinders=Solids.stack([part.cylinders for part in parts]),
            ellipsoids=Solids.stack([part.ellipsoids for part in parts]),
            lights=Lights.stack([part.lights for part in parts]),
            materials={
                name: torch.cat(
                    [pad(p.materials[name], (0, rows - p.materials[name].shape[1])) for p in parts]
                )
                for name in parts[0].materials
            },
            look={name: torch.cat([p.look[name] for p in parts]) for name in parts[0].look},
        )
