"""Procedural scenes: random rooms, streets and still lifes with exact depth and normals."""

from monostep.data.procedural.dataset import ProceduralScenes
from monostep.data.procedural.render import render

__all__ = ["ProceduralScenes", "render"]
