"""Light that reaches points: from lights with their shadows, from the sun, from other surfaces.

Direct light is one random point on one random light for each ray; the light of other surfaces is
one ray over the hemisphere, which ends where direct light is reckoned without shadows.
"""

from __future__ import annotations

import numpy as np
from scripts.furnished.lights import Light
from scripts.furnished.scene import Hits, Scene

_NEAR_M = 1e-3  # rays start this far off their surface
_CORNER_M = 0.25  # nearer surfaces get less light themselves
_UNSHADOWED = 0.55  # what shadows leave of direct light, on average


def direct(
    scene: Scene, points: np.ndarray, normals: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Irradiance, [points, 3], through one shadow ray each."""
    lights = scene.lighting.lights
    share = np.stack([_unshadowed(light, points, normals) for light in lights], 1)
    share = share + 0.02 * share.max() / len(lights)
    share /= share.sum(1, keepdims=True)
    chosen = (share.cumsum(1) < rng.random((len(points), 1))).sum(1).clip(0, len(lights) - 1)
    odds = np.take_along_axis(share, chosen[:, None], 1)[:, 0]
    target, facing, radiance = _targets(lights, chosen, points, rng)
    way = target - points
    squared = np.maximum(np.einsum("ij,ij->i", way, way), 0.01)
    cosine = np.einsum("ij,ij->i", way, normals) / np.sqrt(squared)
    received = np.maximum(cosine, 0) * facing(way / np.sqrt(squared)[:, None]) / squared / odds
    lit = np.flatnonzero(received > 1e-6)
    received = np.minimum(received, 20.0).astype(np.float32)
    out = np.zeros_like(points)
    starts = points[lit] + normals[lit] * _NEAR_M
    rays = (target[lit] - starts).astype(np.float32)
    clear = scene.seen(starts, rays, np.full(len(lit), 0.998, np.float32))
    out[lit] = radiance[lit] * (received[lit] * clear)[:, None]
    return out


def _unshadowed(light: Light, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Grey irradiance from the light's middle as if nothing were between."""
    way = light.centre.astype(np.float32) - points
    squared = np.einsum("ij,ij->i", way, way) + 0.05
    cosine = np.einsum("ij,ij->i", way, normals) / np.sqrt(squared)
    # around a large light, points that do not see its middle still see a part
    received = np.maximum(cosine * 0.85 + 0.15, 0) / squared
    if light.b is not None:
        received *= np.maximum(-(way @ light.normal.astype(np.float32)), 0) / np.sqrt(squared)
        return received * light.power
    return received * light.power / 4


def _targets(
    lights: tuple[Light, ...], chosen: np.ndarray, points: np.ndarray, rng: np.random.Generator
) -> tuple:
    """A point on the chosen light, the area that a direction sees of it, its radiance."""
    corner = np.stack([each.corner for each in lights]).astype(np.float32)[chosen]
    ball = np.array([each.b is None for each in lights])[chosen]
    a = np.stack([each.a for each in lights]).astype(np.float32)[chosen]
    b = np.stack([np.zeros(3) if e.b is None else e.b for e in lights]).astype(np.float32)[chosen]
    normal = np.stack([each.normal for each in lights]).astype(np.float32)[chosen]
    radiance = np.stack([each.radiance for each in lights]).astype(np.float32)[chosen]
    one, two = rng.random((2, len(chosen), 1), np.float32)
    target = corner + a * one + b * two
    # of a ball: a point on its near side
    radius = np.linalg.norm(a, axis=1)
    towards = points - corner
    towards /= np.maximum(np.linalg.norm(towards, axis=1, keepdims=True), 1e-6)
    spread = towards + rng.normal(0, 0.5, towards.shape).astype(np.float32)
    spread /= np.linalg.norm(spread, axis=1, keepdims=True)
    target = np.where(ball[:, None], corner + spread * radius[:, None], target)
    area = np.where(ball, np.pi * radius**2, np.linalg.norm(np.cross(a, b), axis=1))

    def facing(way: np.ndarray) -> np.ndarray:
        cosine = np.maximum(-np.einsum("ij,ij->i", way, normal), 0)
        return np.where(ball, area, area * cosine)

    return target, facing, radiance


def sunlight(scene: Scene, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Irradiance, [points, 3], of the sun through panes."""
    out = np.zeros_like(points)
    if scene.lighting.sun is None:
        return out
    sun = scene.lighting.sun.astype(np.float32)
    cosine = normals @ sun
    lit = np.flatnonzero(cosine > 0)
    hits = scene.trace(points[lit] + normals[lit] * _NEAR_M, np.tile(sun, (len(lit), 1)))
    through = (hits.face >= 0) & scene.pane[scene.material[hits.face]]
    lit = lit[through]
    out[lit] = cosine[lit, None] * scene.lighting.sun_light
    return out


def radiance(
    scene: Scene,
    hits: Hits,
    ends: np.ndarray,
    ambient: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """What other surfaces send back, [rays, 3], where rays ended; without their shadows."""
    albedo = scene.albedo(hits, np.full(len(ends), 0.1, np.float32), rng)
    total = np.zeros_like(ends)
    for light in scene.lighting.lights:
        hue = (light.radiance / max(float(light.radiance.mean()), 1e-9)).astype(np.float32)
        total += _unshadowed(light, ends, hits.normal)[:, None] * hue
    return albedo / np.pi * (total * _UNSHADOWED + ambient)


def bounced(
    scene: Scene,
    points: np.ndarray,
    normals: np.ndarray,
    ambient: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Irradiance, [points, 3], from other surfaces, by one ray each; lights are not among them."""
    ball = rng.normal(size=points.shape).astype(np.float32)
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    way = normals + ball * 0.999
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    starts = points + normals * _NEAR_M
    hits = scene.trace(starts, way)
    ends = starts + way * hits.distance[:, None]
    ok = hits.face >= 0
    ends[~ok] = starts[~ok]
    sent = radiance(scene, hits, ends, ambient, rng)
    near = np.clip(hits.distance / _CORNER_M, 0, 1) * 0.7 + 0.3
    return np.pi * sent * (near * ok)[:, None].astype(np.float32)
