"""The light that reaches the camera along every ray."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.data.procedural.camera import Vector, dot, unit
from monostep.data.procedural.scene import Scene
from monostep.data.procedural.surface import FARTHEST_M, Surface
from monostep.data.procedural.texture import Lookup, noise, reflectance
from monostep.data.procedural.trace import lit

_CHANNELS = "rgb"


def radiance(
    scene: Scene, surface: Surface, direction: Vector, pixel: Float[Tensor, " batch"]
) -> Float[Tensor, "batch 3 height width"]:
    """Return the linear RGB seen along `direction`; `pixel` is the width of a pixel at 1 m."""
    towards_camera = unit((-direction[0], -direction[1], -direction[2]))
    material = _material_lookup(scene, surface)
    facing = dot(surface.normal, towards_camera)
    footprint_m = surface.point_m[2] * pixel[:, None, None] / facing.clamp_min(0.08)
    albedo = reflectance(material, surface.u_m, surface.v_m, footprint_m)
    diffuse, shine = _direct(scene, surface, towards_camera, material)
    indirect = _indirect(scene, surface)
    glow = material("glow")
    colour = [
        albedo[i] * (diffuse[i] + indirect[i] + glow) + shine[i] for i in range(len(_CHANNELS))
    ]
    behind = sky(scene, direction)
    seen = _haze(scene, surface, direction)
    return torch.stack(
        [torch.lerp(far, near, seen) for far, near in zip(behind, colour, strict=True)], dim=1
    )


def sky(scene: Scene, direction: Vector) -> Vector:
    """Return the linear RGB of the sky along `direction`: a gradient with clouds."""
    to_sky = unit(direction)
    height = dot(to_sky, _scalars(scene.up))
    rise = height.clamp(0, 1).sqrt()
    if bool((scene.look["cloud"] > 0).any()):
        reach = 1.5 / (height.clamp_min(0) + 0.12)
        offset = _of_image(scene, "cloud_offset")
        # the two image axes stand in for the ground's: clouds need no compass
        cloud = noise(
            to_sky[0] * reach + offset, to_sky[2] * reach + offset, torch.zeros_like(reach)
        )
        cover = ((cloud + 2 * _of_image(scene, "cloud") - 1) * 2).clamp(0, 1)
        cover = cover * (height * 5).clamp(0, 1)
    else:
        cover = torch.zeros_like(rise)
    white = (_of_image(scene, "horizon_g") + _of_image(scene, "zenith_b")) * 0.5
    clear = [
        torch.lerp(
            *torch.broadcast_tensors(
                _of_image(scene, f"horizon_{c}"), _of_image(scene, f"zenith_{c}"), rise
            )
        )
        for c in _CHANNELS
    ]
    return clear[0].lerp(white, cover), clear[1].lerp(white, cover), clear[2].lerp(white, cover)


def _material_lookup(scene: Scene, surface: Surface) -> Lookup:
    index = surface.material.flatten(1)

    def lookup(name: str) -> Tensor:
        return scene.materials[name].gather(1, index).reshape(surface.material.shape)

    return lookup


def _direct(
    scene: Scene, surface: Surface, towards_camera: Vector, material: Lookup
) -> tuple[list[Tensor], list[Tensor]]:
    """Return irradiance / pi and highlights (Blinn-Phong) from all lights, by channel."""
    zero = torch.zeros_like(surface.u_m)
    diffuse, shine = [zero] * 3, [zero] * 3
    gloss, shininess = material("gloss"), material("shininess")
    point, normal = surface.point_m, surface.normal
    slack_m = point[2] * 1e-3 + 0.004
    for position, intensity in zip(
        scene.lights.position_m.unbind(1), scene.lights.intensity.unbind(1), strict=True
    ):
        x, y, z = _scalars(position)
        to_point = (point[0] - x, point[1] - y, point[2] - z)
        square_m2 = dot(to_point, to_point)
        to_light = unit((-to_point[0], -to_point[1], -to_point[2]))
        cosine = dot(normal, to_light).clamp_min(0)
        received = cosine * lit(scene, position, to_point, slack_m, cosine > 0) / square_m2
        half_way = unit(
            (
                to_light[0] + towards_camera[0],
                to_light[1] + towards_camera[1],
                to_light[2] + towards_camera[2],
            )
        )
        glint = received * gloss * dot(normal, half_way).clamp_min(1e-6).pow(shininess)
        strength = intensity[:, :, None, None].unbind(1)
        diffuse = [d + received * s for d, s in zip(diffuse, strength, strict=True)]
        shine = [g + glint * s for g, s in zip(shine, strength, strict=True)]
    return diffuse, shine


def _indirect(scene: Scene, surface: Surface) -> list[Tensor]:
    """Return the light from all around, by channel: some from above, some from below."""
    upward = 0.5 + 0.5 * dot(surface.normal, _scalars(scene.up))
    return [
        _of_image(scene, f"below_{c}") * (1 - upward) + _of_image(scene, f"above_{c}") * upward
        for c in _CHANNELS
    ]


def _haze(scene: Scene, surface: Surface, direction: Vector) -> Tensor:
    """Return the part of the surface's light that arrives through the haze."""
    distance_m = surface.point_m[2].clamp_max(FARTHEST_M) * dot(direction, direction).sqrt()
    clear = (-_of_image(scene, "haze_per_m") * distance_m).exp()
    return torch.where(surface.present, clear, 0.0)


def _of_image(scene: Scene, name: str) -> Tensor:
    return scene.look[name][:, None, None]


def _scalars(v: Float[Tensor, "batch 3"]) -> Vector:
    x, y, z = v[:, :, None, None].unbind(1)
    return x, y, z
