import numpy as np
import pytest
import torch
from torch.nn import functional as F

from monostep.metrics import normals


@pytest.fixture
def maps():
    generator = torch.Generator().manual_seed(0)
    truth = F.normalize(torch.randn(3, 3, 9, 11, generator=generator), dim=1)
    noise = 0.4 * torch.randn(3, 3, 9, 11, generator=generator)
    valid = torch.rand(3, 9, 11, generator=generator) > 0.3
    return F.normalize(truth + noise, dim=1), truth, valid


def test_angles_and_shares_agree_with_numpy(maps):
    predicted, truth, valid = maps
    dot = (predicted.numpy().astype(np.float64) * truth.numpy()).sum(axis=1)
    degrees = np.degrees(np.arccos(np.clip(dot, -1, 1)))
    np.testing.assert_allclose(normals.angle_deg(predicted, truth), degrees, rtol=1e-4)
    mean = normals.mean_angle_deg(predicted, truth, valid)
    share = normals.within(predicted, truth, valid, degrees=22.5)
    for row in range(3):
        inside = degrees[row][valid[row].numpy()]
        assert float(mean[row]) == pytest.approx(inside.mean(), rel=1e-5)
        assert float(share[row]) == pytest.approx((inside < 22.5).mean(), rel=1e-6)


def test_the_ends_are_exact():
    axis = torch.tensor([0.0, 0.6, 0.8]).reshape(1, 3, 1, 1)
    assert float(normals.angle_deg(axis, axis)) == pytest.approx(0, abs=1e-6)
    assert float(normals.angle_deg(axis, -axis)) == pytest.approx(180)


def test_length_does_not_matter(maps):
    predicted, truth, _ = maps
    torch.testing.assert_close(
        normals.angle_deg(3 * predicted, truth), normals.angle_deg(predicted, truth)
    )


def test_an_image_without_valid_pixels_spoils_no_other(maps):
    predicted, truth, valid = maps
    valid = valid.clone()
    valid[0] = False
    mean = normals.mean_angle_deg(predicted, truth, valid)
    assert mean[0] == 0
    assert mean[1:].min() > 1
