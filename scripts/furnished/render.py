"""One picture of a scene: linear light, z-depth and normals.

Depth and normals are of one ray through the middle of each pixel. Colour is the mean over that
ray and others around it; light is reckoned at the middle, smoothed along surfaces, and taken by
the other rays from the neighbour whose surface is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scripts.furnished import light_reaching
from scripts.furnished.camera import Camera
from scripts.furnished.scene import Hits, Scene

_OFFSETS = ((-0.25, -0.33), (0.33, -0.2), (0.05, 0.38))  # of the other rays, in pixels
_STEPS = (1, 2, 4)  # of the smoothing, in pixels
_SHADOWS = 2  # shadow rays of each pixel


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What a camera sees."""

    light: np.ndarray  # [height, width, 3], linear
    depth_m: np.ndarray  # [height, width], 0: nothing
    normals: np.ndarray  # [height, width, 3], OpenCV frame, facing; 0: nothing


def depth(scene: Scene, camera: Camera, step: int) -> np.ndarray:
    """z-depth of every `step`-th pixel, to judge a camera by; inf: nothing."""
    height, width = camera.size
    points = camera.points().reshape(height, width, 2)[step // 2 :: step, step // 2 :: step]
    rays = camera.rays(points.reshape(-1, 2))
    hits = scene.trace(_origins(camera, len(rays)), rays)
    return np.where(hits.face >= 0, hits.distance, np.inf).reshape(points.shape[:2])


def render(scene: Scene, camera: Camera, rng: np.random.Generator) -> Picture:
    """The picture."""
    points, size = camera.points(), camera.size
    rays = camera.rays(points)
    origins = _origins(camera, len(rays))
    hits = scene.trace(origins, rays)
    places = origins + rays * hits.distance[:, None]
    places[hits.face < 0] = 0
    received = _received(scene, places, hits, size, rng)
    total = _sent(scene, camera, rays, hits, received, rng)
    for dx, dy in _OFFSETS:
        shift = np.array([dx, dy]) + rng.uniform(-0.12, 0.12, points.shape)
        other = camera.rays(points + shift)
        found = scene.trace(origins, other)
        match = matching(hits, found, size, dx, dy)
        total += _sent(scene, camera, other, found, received[match], rng)
    light = total / (len(_OFFSETS) + 1)
    light += _mirrored(scene, places, rays, hits, received, rng, camera_size=size)
    normals = (hits.normal @ camera.axes.T.astype(np.float32)) * (hits.face >= 0)[:, None]
    distance = np.where(hits.face >= 0, hits.distance, 0)
    return Picture(
        light=light.reshape(*size, 3),
        depth_m=distance.reshape(size).astype(np.float32),
        normals=normals.reshape(*size, 3).astype(np.float32),
    )


def _origins(camera: Camera, count: int) -> np.ndarray:
    return np.tile(camera.position.astype(np.float32), (count, 1))


def _received(
    scene: Scene,
    places: np.ndarray,
    hits: Hits,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> np.ndarray:
    normals = hits.normal
    once = (light_reaching.direct(scene, places, normals, rng) for _ in range(_SHADOWS))
    first = sum(once) / _SHADOWS + light_reaching.sunlight(scene, places, normals)
    # light that has bounced more than once, taken as the same everywhere
    ambient = first.mean(0) * 0.6 + 0.01
    other = light_reaching.bounced(scene, places, normals, ambient, rng)
    other = smoothed(other, hits, size, (2, 8))
    return smoothed(first + other, hits, size)


def _sent(
    scene: Scene,
    camera: Camera,
    rays: np.ndarray,
    hits: Hits,
    received: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    slant = np.abs(np.einsum("ij,ij->i", hits.normal, rays))
    slant /= np.sqrt(np.einsum("ij,ij->i", rays, rays))
    footprint = hits.distance / camera.focal_px / np.sqrt(np.maximum(slant, 0.1))
    albedo = scene.albedo(hits, footprint, rng)
    emission = scene.emission[scene.material[hits.face]][:, None]
    sent = albedo * (received / np.pi + emission)
    return np.where((hits.face >= 0)[:, None], sent, 0)


def _mirrored(
    scene: Scene,
    places: np.ndarray,
    rays: np.ndarray,
    hits: Hits,
    received: np.ndarray,
    rng: np.random.Generator,
    *,
    camera_size: tuple[int, int],
) -> np.ndarray:
    """What glossy surfaces mirror, slightly blurred."""
    gloss = scene.gloss[scene.material[hits.face]]
    chosen = np.flatnonzero((gloss > 0) & (hits.face >= 0))
    out = np.zeros_like(places)
    if not len(chosen):
        return out
    way = rays[chosen] / np.linalg.norm(rays[chosen], axis=1, keepdims=True)
    normal = hits.normal[chosen]
    cosine = np.clip(-np.einsum("ij,ij->i", way, normal), 0, 1)
    back = way + 2 * cosine[:, None] * normal
    back = back + rng.normal(0, 0.03, back.shape).astype(np.float32)
    starts = places[chosen] + normal * 2e-3
    found = scene.trace(starts, back.astype(np.float32))
    ends = starts + back * np.minimum(found.distance, 50)[:, None]
    ambient = received.mean(0) * 0.5
    seen = light_reaching.radiance(scene, found, ends, ambient, rng)
    material = scene.material[found.face]
    seen = seen + np.minimum(scene.emission[material], 5)[:, None] * scene.colour[material]
    share = gloss[chosen] + (1 - gloss[chosen]) * (1 - cosine) ** 5 * 0.6
    out[chosen] = seen * (share * (found.face >= 0))[:, None]
    return smoothed(out.astype(np.float32), hits, camera_size, (1, 2))


def smoothed(
    light: np.ndarray, hits: Hits, size: tuple[int, int], steps: tuple[int, ...] = _STEPS
) -> np.ndarray:
    """Light, [pixels, 3], averaged over neighbours on the same surface."""
    value = light.reshape(*size, 3)
    normal, distance = hits.normal.reshape(*size, 3), hits.distance.reshape(size)
    for step in steps:
        total, weight = value.copy(), np.ones(size, np.float32)
        for dy in (-step, 0, step):
            for dx in (-step, 0, step):
                if dx or dy:
                    _average(total, weight, (value, normal, distance), dy, dx)
        value = total / weight[..., None]
    return value.reshape(-1, 3)


def _average(total: np.ndarray, weight: np.ndarray, maps: tuple, dy: int, dx: int) -> None:
    """Add the neighbours at one offset where their surface is the same."""
    value, normal, distance = maps
    height, width = distance.shape
    here = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
    there = (slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx)))
    even = np.einsum("ijk,ijk->ij", normal[here], normal[there]) > 0.9
    near = np.abs(distance[here] - distance[there]) < 0.04 * max(abs(dx), abs(dy)) * distance[here]
    same = (even & near).astype(np.float32)
    total[here] += value[there] * same[..., None]
    weight[here] += same


def matching(hits: Hits, other: Hits, size: tuple[int, int], dx: float, dy: float) -> np.ndarray:
    """The pixel, of the ray's own and its neighbours, whose surface is that of the other ray."""
    height, width = size
    own = np.arange(height * width)
    best = own.copy()
    far = _unlike(hits, own, other, own)
    wrong = np.flatnonzero(far > 0.05)
    row, column = wrong // width, wrong % width
    least = far[wrong]
    sign_x, sign_y = (1 if dx > 0 else -1), (1 if dy > 0 else -1)
    for step_y, step_x in ((0, sign_x), (sign_y, 0), (sign_y, sign_x), (0, -sign_x), (-sign_y, 0)):
        at = np.clip(row + step_y, 0, height - 1) * width + np.clip(column + step_x, 0, width - 1)
        now = _unlike(hits, at, other, wrong)
        better = now < least
        best[wrong[better]] = at[better]
        least = np.minimum(least, now)
    return best


def _unlike(hits: Hits, a: np.ndarray, other: Hits, b: np.ndarray) -> np.ndarray:
    turned = 1 - np.einsum("ij,ij->i", hits.normal[a], other.normal[b])
    return turned + np.abs(hits.distance[a] - other.distance[b]) / np.maximum(
        other.distance[b], 0.1
    )
