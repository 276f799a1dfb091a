"""From (seed, index, size) to an image with its geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.procedural import camera, layout_indoor, layout_object, layout_outdoor
from monostep.data.procedural.draws import Draws
from monostep.data.procedural.scene import Scene
from monostep.data.procedural.sensor import photograph
from monostep.data.procedural.shading import radiance
from monostep.data.procedural.surface import Surface, surface
from monostep.data.procedural.trace import trace
from monostep.data.samples import KINDS, Samples

VERSION = 1  # of the pictures: raise it with any change to what a (seed, index, size) looks like

_SHARES = (0.45, 0.35, 0.2)  # of the kinds
_LAYOUTS = (layout_indoor.indoor, layout_outdoor.outdoor, layout_object.close_up)
_VIEW_DEG = (35.0, 100.0)  # from the left edge of the image to the right one
_IMAGES_AT_ONCE_ON_GPU = 32


def scene(seed: int, index: int) -> Scene:
    """Return the scene of sample `index` under `seed`, the same at every image size."""
    draws = Draws(seed, index)
    share, kind = draws.unit(), 0
    while share >= sum(_SHARES[: kind + 1]) and kind < len(KINDS) - 1:
        kind += 1
    view_rad = math.radians(draws.uniform(*_VIEW_DEG))
    return _LAYOUTS[kind](draws, kind, 0.5 / math.tan(view_rad / 2))


def render(
    seed: int, indices: Sequence[int], size: tuple[int, int], *, device: torch.device | str = "cpu"
) -> Samples:
    """Return the samples `indices` under `seed`, at `size` (height, width) in pixels.

    The CPU takes images one by one: each stays in its cache, and its last bit cannot depend on
    the company it is in. A GPU takes many at once.
    """
    at_once = 1 if torch.device(device).type == "cpu" else _IMAGES_AT_ONCE_ON_GPU
    parts = []
    for start in range(0, len(indices), at_once):
        scenes = [scene(seed, index) for index in indices[start : start + at_once]]
        with torch.inference_mode():
            parts.append(view(Scene.stack(scenes).to(device), size))
    # outside: what is put together here can take part in training again
    return Samples.concatenate(parts)


@torch.no_grad()
def view(scenes: Scene, size: tuple[int, int]) -> Samples:
    """Return what the cameras of a batch of scenes see, at `size` (height, width) in pixels."""
    direction = camera.rays(scenes.focal, size)
    seen = surface(scenes, trace(scenes, direction), direction)
    light = _antialiased(scenes, size, seen, direction)
    return Samples(
        image=photograph(light, scenes.look),
        depth_m=torch.where(seen.present, seen.point_m[2], 0.0),
        normals=torch.where(seen.present[:, None], torch.stack(seen.normal, dim=1), 0.0),
        valid=seen.present,
        sky=~seen.present,
        intrinsics=camera.intrinsics(scenes.focal, size),
        kind=scenes.kind,
    )


def _antialiased(
    scenes: Scene, size: tuple[int, int], seen: Surface, direction: camera.Vector
) -> Float[Tensor, "batch 3 height width"]:
    """Return the light on each pixel: half from its centre, an eighth from each corner."""
    pixel = 1 / (scenes.focal * size[1])
    centre = radiance(scenes, seen, direction, pixel)
    towards_corners = camera.rays(scenes.focal, size, margin=0.0)
    hit = trace(scenes, towards_corners)
    corner = radiance(scenes, surface(scenes, hit, towards_corners), towards_corners, pixel)
    rows = corner[:, :, 1:] + corner[:, :, :-1]
    return 0.5 * centre + 0.125 * (rows[..., 1:] + rows[..., :-1])
