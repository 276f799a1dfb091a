import pytest
import torch
from torch.nn import functional as F

from monostep.evaluation.truth import Truth


@pytest.fixture
def truth():
    """Three images of which the last has no pixel to judge."""
    generator = torch.Generator().manual_seed(0)
    valid = torch.rand(3, 16, 24, generator=generator) > 0.2
    valid[2] = False
    normals = F.normalize(torch.randn(3, 3, 16, 24, generator=generator), dim=1)
    return Truth(
        names=("a", "b", "c"),
        strata=("indoor", "outdoor", "outdoor"),
        image=torch.rand(3, 3, 16, 24, generator=generator),
        depth_m=1 + 5 * torch.rand(3, 16, 24, generator=generator),
        depth_valid=valid,
        normals=normals,
        normals_valid=valid,
    )
