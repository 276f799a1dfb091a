import torch

from monostep.evaluation.truth import Truth


def test_the_size_is_height_then_width():
    truth = Truth(
        names=("a",),
        strata=("photograph",),
        image=torch.zeros(1, 3, 4, 6),
        depth_m=torch.ones(1, 4, 6),
        depth_valid=torch.ones(1, 4, 6, dtype=torch.bool),
        normals=None,
        normals_valid=None,
    )
    assert truth.size == (4, 6)
