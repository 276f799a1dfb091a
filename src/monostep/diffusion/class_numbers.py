"""The numbers by which a joint network is told what to paint, and where the picture was taken.

    depth    sin [0, 1], cos [0, 1]          normals  sin [1, 0], cos [1, 0]
    indoor   sin [1, 0, 0], cos [1, 0, 0]    and likewise outdoor and object

A batch is two halves, first depth and then normals of the same images. Source: GeoWizard (Fu et
al., ECCV 2024) and its pipeline.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from monostep.geometry.domain import DOMAINS

OF_GEOMETRY, OF_BOTH = 4, 10  # numbers of an image: of what to paint alone, and with the domain


def class_numbers(
    domain: Int[Tensor, " image"], numbers: int = OF_BOTH
) -> Float[Tensor, "2*image number"]:
    """The class of each image of a batch in both halves; `domain` is an index into `DOMAINS`.

    With `numbers` OF_GEOMETRY the domain is left out: GeoWizard's second version says it in words.
    """
    chosen = torch.eye(2, device=domain.device).flip(0)  # depth, normals
    geometry = _waves(chosen).repeat_interleave(len(domain), dim=0)
    if numbers == OF_GEOMETRY:
        return geometry
    taken = _waves(torch.eye(len(DOMAINS), device=domain.device)[domain])
    return torch.cat([geometry, taken.repeat(2, 1)], dim=1)


def _waves(one_hot: Float[Tensor, "row choice"]) -> Float[Tensor, "row twice"]:
    return torch.cat([one_hot.sin(), one_hot.cos()], dim=1)
