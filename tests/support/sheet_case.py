"""Made-up images with truth and contenders, for sheets."""

import torch
from torch.nn import functional as F

from monostep.evaluation.sheets.row import NamedMap, SheetRow

SIZE = (60, 80)


def row(truth, *maps, valid=None, title="worst: a.png"):
    """A row of a plain grey image; each map as (name, values, score)."""
    size = truth.shape[-2:]
    return SheetRow(
        title=title,
        image=torch.full((3, *size), 0.5),
        truth=truth,
        valid=torch.ones(size, dtype=torch.bool) if valid is None else valid,
        maps=[NamedMap(name=name, values=values, score=score) for name, values, score in maps],
    )


def depth_m(size=SIZE):
    """A ramp from 1 to 9 m, nearer at the left."""
    return torch.linspace(1, 9, size[1]).expand(size).clone()


def normals(size=SIZE):
    """Unit vectors that face the camera in all kinds of ways."""
    vectors = torch.randn(3, *size, generator=torch.Generator().manual_seed(0))
    vectors[2] = -vectors[2].abs() - 0.5
    return F.normalize(vectors, dim=0)
