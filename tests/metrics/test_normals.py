import math

import live_bytes
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


def test_angles_and_means_agree_with_numpy(maps):
    predicted, truth, valid = maps
    dot = (predicted.numpy().astype(np.float64) * truth.numpy()).sum(axis=1)
    degrees = np.degrees(np.arccos(np.clip(dot, -1, 1)))
    np.testing.assert_allclose(normals.angle_deg(predicted, truth), degrees, rtol=1e-4)
    mean = normals.mean_angle_deg(predicted, truth, valid)
    for row in range(3):
        inside = degrees[row][valid[row].numpy()]
        assert float(mean[row]) == pytest.approx(inside.mean(), rel=1e-5)


def test_the_ends_are_exact():
    axis = torch.tensor([0.0, 0.6, 0.8]).reshape(1, 3, 1, 1)
    assert float(normals.angle_deg(axis, axis)) == pytest.approx(0, abs=1e-6)
    assert float(normals.angle_deg(axis, -axis)) == pytest.approx(180)


def test_a_vector_of_length_0_is_at_right_angles_to_all():
    axis = torch.tensor([0.0, 0.6, 0.8]).reshape(1, 3, 1, 1)
    assert float(normals.angle_deg(torch.zeros_like(axis), axis)) == 90


def test_length_does_not_matter(maps):
    predicted, truth, _ = maps
    torch.testing.assert_close(
        normals.angle_deg(3 * predicted, truth), normals.angle_deg(predicted, truth)
    )


def test_strips_change_no_angle(maps, monkeypatch):
    predicted, truth, _ = maps
    whole = normals.angle_deg(predicted, truth)
    monkeypatch.setattr(normals, "_STRIP", 70)  # two rows
    torch.testing.assert_close(normals.angle_deg(predicted, truth), whole, rtol=1e-6, atol=0)


def test_the_memory_beside_the_result_does_not_grow_with_the_image():
    def beside(rows):
        maps = torch.randn(2, 3, rows, 512, generator=torch.Generator().manual_seed(0))
        peak = live_bytes.peak(lambda: normals.angle_deg(maps[:1], maps[1:]))
        return peak - 2 * 4 * rows * 512  # the strips and the map that they become

    assert beside(2048) <= beside(1024) < 60e6


def test_an_image_without_valid_pixels_spoils_no_other(maps):
    predicted, truth, valid = maps
    valid = valid.clone()
    valid[0] = False
    mean = normals.mean_angle_deg(predicted, truth, valid)
    assert mean[0] == 0
    assert mean[1:].min() > 1


def _reference(angles):
    angles = angles.numpy().astype(np.float64)
    shares = [(angles < degrees).mean() for degrees in (5, 7.5, 11.25, 22.5, 30)]
    return [angles.mean(), np.median(angles), np.sqrt((angles**2).mean()), *shares]


@pytest.mark.parametrize("count", [1, 2, 3, 1000, 1001, 300_001])
def test_scores_agree_with_numpy(count):
    generator = torch.Generator().manual_seed(count)
    angles = (30 * torch.randn(count, generator=generator)).abs().clamp(max=180)
    scores = normals.scores(angles)
    assert tuple(scores) == normals.NAMES
    assert list(scores.values()) == pytest.approx(_reference(angles), rel=1e-6)


def test_the_names_are_those_of_the_reports():
    assert (
        *("mean_angle_deg", "median_angle_deg", "rmse_angle_deg"),
        *("within_5_deg", "within_7.5_deg", "within_11.25_deg"),
        *("within_22.5_deg", "within_30_deg"),
    ) == normals.NAMES


def test_an_angle_at_a_limit_is_not_within_it():
    below = torch.tensor([5, 7.5, 11.25, 22.5, 30]).nextafter(torch.tensor(0.0))
    at_limits = normals.scores(torch.tensor([5, 7.5, 11.25, 22.5, 30]))
    assert list(at_limits.values())[3:] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert list(normals.scores(below).values())[3:] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])


def test_the_order_of_pixels_changes_nothing():
    angles = torch.rand(5000, generator=torch.Generator().manual_seed(1)) * 90
    assert normals.scores(angles) == pytest.approx(normals.scores(angles.flip(0)), rel=1e-12)


def test_no_pixel_means_no_score():
    assert all(math.isnan(value) for value in normals.scores(torch.zeros(0)).values())
