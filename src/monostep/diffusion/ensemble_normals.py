"""Several normals maps of one image merged into one.

"closest-map"  the one member, whole, that is closest to a mean of angles (GeoWizard, E2E-FT)
"closest"      at every pixel the member closest to the mean direction (diffusers, Marigold)
"mean"         the mean direction
"""

from typing import Literal, TypeAlias, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.diffusion.merged import Merged
from monostep.errors import SettingError

Method: TypeAlias = Literal["closest-map", "closest", "mean"]
METHODS: tuple[Method, ...] = get_args(Method)

Members: TypeAlias = Float[Tensor, "member 3 height width"]
Directions: TypeAlias = Float[Tensor, "3 height width"]

SHORTEST = 1e-6  # the smallest length divided by; keeps the zero vector finite


def merge(normals: Members, *, method: str = "closest") -> Merged:
    """Make one normals map of several.

    Args:
        normals: the members, unit vectors in any one frame; zero vectors do no harm.
        method: "closest-map", "closest" or "mean", see above. The first member wins a tie.

    Returns:
        The map, and, for every method, the mean over members of the angle to the mean direction,
        divided by pi. "mean" is zero where the members cancel out.

    Raises:
        SettingError: unknown method.

    Source: diffusers' MarigoldNormalsPipeline, also for the uncertainty; Fu et al., GeoWizard, for
    "closest-map", which had no uncertainty.
    """
    if method not in METHODS:
        raise SettingError(f"normals ensemble {method!r}: expected one of {', '.join(METHODS)}")
    normals = normals.float()
    mean = _mean_direction(normals)
    cosine = (mean * normals).sum(dim=1).clamp(-1, 1)
    match method:
        case "closest-map":
            values = _closest_map(normals)
        case "closest":
            nearest = cosine.argmax(dim=0, keepdim=True)[:, None].expand(1, 3, -1, -1)
            values = normals.gather(0, nearest)[0]
        case _:
            values = mean
    return Merged(values=values, uncertainty=cosine.arccos().mean(dim=0) / torch.pi)


def _mean_direction(normals: Members) -> Directions:
    mean = normals.mean(dim=0)
    return mean / torch.linalg.vector_norm(mean, dim=0).clamp_min(SHORTEST)


def _closest_map(normals: Members) -> Directions:
    normals = normals / (torch.linalg.vector_norm(normals, dim=1, keepdim=True) + 1e-5)
    cosine = torch.cosine_similarity(_mean_of_angles(normals)[None], normals, dim=1)
    angle = cosine.clamp(-0.999, 0.999).arccos()
    return normals[angle.sum(dim=(1, 2)).argmin()]


def _mean_of_angles(normals: Members) -> Directions:
    """Means of azimuth and polar angle, as published: the jump of the azimuth at pi is ignored."""
    x, y, z = normals.unbind(dim=1)
    azimuth = torch.atan2(y, x).mean(dim=0)
    polar = torch.atan2(torch.hypot(x, y), z).mean(dim=0)
    return torch.stack([polar.sin() * azimuth.cos(), polar.sin() * azimuth.sin(), polar.cos()])
