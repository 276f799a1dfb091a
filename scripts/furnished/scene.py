"""A furnished room as triangles that rays can be sent through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scripts.furnished import library, lights
from scripts.furnished.lights import Lighting, Mood
from scripts.furnished.mesh import TEXTURE, Mesh
from scripts.furnished.placing import Placed
from scripts.furnished.rooms import Room
from scripts.furnished.shell import Shell
from scripts.furnished.surfaces import Builder, Material, linear

_LEVELS = 6  # of a texture, each of half the side of the one before


@dataclass(frozen=True, kw_only=True)
class Hits:
    """Where rays ended."""

    distance: np.ndarray  # [rays], in lengths of the ray's direction
    normal: np.ndarray  # [rays, 3], unit, towards the ray's origin
    face: np.ndarray  # [rays], -1: nothing was hit
    place: np.ndarray  # [rays, 2], within the triangle


class Scene:
    """Triangles, materials and lights of one room."""

    def __init__(self, builder: Builder, lighting: Lighting) -> None:
        from embreex.mesh_construction import TriangleMesh  # pyright: ignore[reportMissingImports]
        from embreex.rtcore_scene import EmbreeScene  # pyright: ignore[reportMissingImports]

        corners = np.concatenate(builder.corners)
        self.uv = np.concatenate(builder.uv)
        self.material = np.concatenate(builder.material)
        self.lighting = lighting
        self.embree = EmbreeScene()
        TriangleMesh(self.embree, np.ascontiguousarray(corners))
        self._materials(builder.materials)
        self._texels(builder, corners)

    def _materials(self, materials: list[Material]) -> None:
        self.colour = np.array([m.colour for m in materials], np.float32)
        self.gloss = np.array([m.gloss for m in materials], np.float32)
        self.emission = np.array([m.emission for m in materials], np.float32)
        self.pane = np.array([m.pane for m in materials])
        self.texture = np.array([m.texture for m in materials], np.int64)

    def _texels(self, builder: Builder, corners: np.ndarray) -> None:
        """All textures at all sizes in one list, and how many metres a texel spans."""
        pictures = np.stack(builder.textures).astype(np.float32)
        parts, first, self.starts = [], 0, []
        for level in range(_LEVELS):
            parts.append(pictures.round().astype(np.uint8).reshape(-1, 3))
            self.starts.append(first)
            first += len(parts[-1])
            side = (TEXTURE >> level) // 2
            pictures = pictures.reshape(-1, side, 2, side, 2, 3).mean((2, 4))
        self.texels = np.concatenate(parts)
        self.light = linear(np.arange(256) / 255)
        a, b, c = (corners[:, k] for k in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        e, f = self.uv[:, 1] - self.uv[:, 0], self.uv[:, 2] - self.uv[:, 0]
        flat = np.abs(e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0])
        count = len(self.colour)
        ratio = np.bincount(self.material, area, count) / np.maximum(
            np.bincount(self.material, flat, count), 1e-9
        )
        self.texel_m = (np.sqrt(ratio) / TEXTURE).astype(np.float32)

    def trace(self, origins: np.ndarray, directions: np.ndarray) -> Hits:
        """The first surface along each ray."""
        found = self.embree.run(origins, directions, output=1)
        normal = found["Ng"]
        length = np.sqrt(np.einsum("ij,ij->i", normal, normal))
        facing = np.einsum("ij,ij->i", normal, directions)
        scale = np.where(facing > 0, -1, 1) / np.maximum(length, 1e-30)
        return Hits(
            distance=found["tfar"],
            normal=normal * scale[:, None].astype(np.float32),
            face=found["primID"],
            place=np.stack([found["u"], found["v"]], 1),
        )

    def seen(self, origins: np.ndarray, directions: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Whether nothing lies within `reach` lengths of the ray's direction."""
        found = self.embree.run(origins, directions, dists=reach, query="OCCLUDED")
        return found != 0

    def albedo(self, hits: Hits, footprint_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Linear colours, [rays, 3], of the surfaces that were hit.

        Args:
            hits: of rays.
            footprint_m: what a pixel spans there, in metres.
            rng: spreads look-ups within a texel.
        """
        material = self.material[hits.face]
        colour = self.colour[material]
        texture = self.texture[material]
        chosen = np.flatnonzero(texture >= 0)
        uv = self.uv[hits.face[chosen]]
        u, v = hits.place[chosen, 0, None], hits.place[chosen, 1, None]
        place = uv[:, 0] * (1 - u - v) + uv[:, 1] * u + uv[:, 2] * v
        ratio = footprint_m[chosen] / self.texel_m[material[chosen]]
        level = np.log2(np.maximum(ratio, 1e-3)) + rng.random(len(chosen), np.float32) - 0.5
        level = np.clip(level, 0, _LEVELS - 1).astype(np.int64)
        side = TEXTURE >> level
        jitter = rng.random((len(chosen), 2), np.float32) - 0.5
        column = np.floor(place[:, 0] * side + jitter[:, 0]).astype(np.int64) & (side - 1)
        row = np.floor((1 - place[:, 1]) * side + jitter[:, 1]).astype(np.int64) & (side - 1)
        index = np.array(self.starts)[level] + (texture[chosen] * side + row) * side + column
        colour[chosen] *= self.light[self.texels[index]]
        return colour


def make(room: Room, photographs: list[np.ndarray], rng: np.random.Generator) -> Scene:
    """The room with all that is in it."""
    builder = Builder()
    mood = Mood.draw(room, rng)
    Shell(room, builder, rng, photographs, mood.pane).build()
    lighting = lights.make(room, builder, mood, rng)
    for thing in room.floor.placed:
        shines = mood.lamps and (lights.is_lamp(thing) or thing in room.lamps)
        _put(builder, thing, shines=shines, rng=rng)
    return Scene(builder, lighting)


def _put(builder: Builder, thing: Placed, *, shines: bool, rng: np.random.Generator) -> None:
    mesh = library.mesh(thing.model.path)
    corners = mesh.corners @ thing.matrix().T.astype(np.float32)
    corners = corners + np.array(thing.position, np.float32)
    builder.mesh(mesh, _painted(mesh, shines=shines, rng=rng), corners)


def _painted(mesh: Mesh, *, shines: bool, rng: np.random.Generator) -> list[Material]:
    """The model's materials in other colours: all by one factor, some by one of their own."""
    whole = np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.07, 3))
    repaint = rng.random() < 0.25
    materials = []
    for number, colour in enumerate(mesh.colour):
        plain = mesh.texture[number] < 0
        base = linear(colour) if plain else np.ones(3, np.float32)
        if plain and repaint:
            base = base.mean() ** 0.8 * np.exp(rng.normal(0, 0.4) + rng.normal(0, 0.2, 3))
        materials.append(
            Material(
                colour=np.clip(base * whole, 0.015, 0.9 if plain else 1.3).astype(np.float32),
                texture=int(mesh.texture[number]),
                gloss=float(mesh.gloss[number]),
                emission=2.5 if shines and base.mean() > 0.3 else 0.0,
            )
        )
    return materials
