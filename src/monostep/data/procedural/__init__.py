"""Procedural scenes: random rooms, streets and still lifes with exact depth and normals."""

from monostep.data.procedural.dataset import ProceduralScenes
from monostep.data.procedural.render import VERSION, render

__all__ = ["VERSION", "ProceduralScenes", "render"]
