"""Stands in for the renderer where a test needs many scenes at once, and any will do."""

import torch

from monostep.data.samples import KINDS, Samples


def render(seed, indices, size):
    """Tilted planes under a strip of sky: like `monostep.data.procedural.render`, in no time."""
    return Samples.concatenate([_scene(seed, index, size) for index in indices])


def _scene(seed, index, size):
    height, width = size
    generator = torch.Generator().manual_seed(1000 * seed + index)
    near_m, far_m, tilt = torch.rand(3, generator=generator).tolist()
    rows = torch.linspace(1, 0, height)[:, None].expand(height, width)
    depth_m = 1 + near_m + (5 + 100 * far_m) * rows
    sky = rows > 0.9
    normal = torch.nn.functional.normalize(torch.tensor([tilt - 0.5, -1.0, -1.0]), dim=0)
    return Samples(
        image=torch.rand(1, 3, height, width, generator=generator),
        depth_m=torch.where(sky, 0.0, depth_m)[None],
        normals=torch.where(sky, 0.0, normal[:, None, None])[None],
        valid=~sky[None],
        sky=sky[None],
        intrinsics=torch.eye(3)[None],
        kind=torch.tensor([index % len(KINDS)]),
    )
