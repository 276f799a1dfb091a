import numpy as np
import pytest
import torch

from monostep.benchmark import evaluation_reference
from monostep.metrics import depth


@pytest.fixture
def maps():
    generator = torch.Generator().manual_seed(0)
    truth_m = 1 + 8 * torch.rand(40, 50, generator=generator)
    predicted = truth_m / 7 + 0.1 * torch.rand(40, 50, generator=generator) - 0.3
    valid = torch.rand(40, 50, generator=generator) > 0.3
    return predicted, truth_m.masked_fill(~valid, 0), valid


def test_it_aligns_by_polynomial_fit_and_clips(maps):
    predicted, truth_m, valid = maps
    found = evaluation_reference.align(*maps, near_m=2.0)
    assert found.dtype == torch.float32
    line = np.polyfit(predicted[valid].double(), truth_m[valid].double(), 1)
    np.testing.assert_allclose(found, np.maximum(np.polyval(line, predicted), 2), rtol=1e-5)


def test_its_metrics_are_ours_but_for_rounding(maps):
    _, truth_m, valid = maps
    depth_m = evaluation_reference.align(*maps, near_m=0.1)
    found = evaluation_reference.scores(depth_m, truth_m, valid)
    assert tuple(found) == depth.NAMES
    assert found == pytest.approx(depth.scores(depth_m, truth_m, valid), rel=1e-5)
