import numpy as np
import pytest
import torch

from monostep.metrics import depth


@pytest.fixture
def maps():
    generator = torch.Generator().manual_seed(0)
    predicted = torch.rand(3, 12, 16, generator=generator)
    truth_m = 1 + 4 * predicted + 2 * torch.rand(3, 12, 16, generator=generator)
    valid = torch.rand(3, 12, 16, generator=generator) > 0.3
    return predicted, truth_m.masked_fill(~valid, 0), valid


def _numpy(maps):
    for p, t, v in zip(*(one.numpy() for one in maps), strict=True):
        p, t = p[v].astype(np.float64), t[v].astype(np.float64)
        (scale, shift), *_ = np.linalg.lstsq(np.stack([p, np.ones_like(p)], 1), t, rcond=None)
        yield np.maximum(scale * p + shift, 1e-3), t


def test_alignment_and_metrics_agree_with_numpy(maps):
    predicted, truth_m, valid = maps
    depth_m = depth.aligned(predicted, truth_m, valid, least_m=1e-3)
    abs_rel = depth.abs_rel(depth_m, truth_m, valid)
    delta1 = depth.delta1(depth_m, truth_m, valid)
    for row, (d, t) in enumerate(_numpy(maps)):
        np.testing.assert_allclose(depth_m[row][valid[row]], d, rtol=1e-5)
        assert float(abs_rel[row]) == pytest.approx(np.mean(np.abs(d - t) / t), rel=1e-5)
        share = np.mean(np.maximum(d / t, t / d) < 1.25)
        assert float(delta1[row]) == pytest.approx(share, rel=1e-6)


def test_an_affine_prediction_is_perfect(maps):
    _, truth_m, valid = maps
    depth_m = depth.aligned(truth_m / 9 - 3, truth_m, valid, least_m=1e-3)
    assert (depth.abs_rel(depth_m, truth_m, valid) < 1e-5).all()
    assert depth.delta1(depth_m, truth_m, valid).tolist() == [1, 1, 1]


def test_aligned_depth_is_at_least_what_was_asked():
    predicted = torch.linspace(0, 1, 100).reshape(1, 10, 10)
    truth_m = torch.full_like(predicted, 0.01)
    truth_m[0, 9] = 50
    valid = torch.ones_like(truth_m, dtype=torch.bool)
    depth_m = depth.aligned(predicted, truth_m, valid, least_m=0.25)
    assert float(depth_m.min()) == 0.25


def test_a_constant_prediction_becomes_the_mean_depth(maps):
    _, truth_m, valid = maps
    depth_m = depth.aligned(torch.full_like(truth_m, 0.7), truth_m, valid, least_m=1e-3)
    for row in range(3):
        mean = truth_m[row][valid[row]].mean()
        torch.testing.assert_close(depth_m[row], mean.expand(12, 16))


def test_delta1_takes_no_pixel_at_the_threshold():
    truth_m = torch.ones(1, 1, 4)
    depth_m = torch.tensor([[[1.25, 1.2499, 0.8, 0.8001]]])
    valid = torch.ones(1, 1, 4, dtype=torch.bool)
    assert depth.delta1(depth_m, truth_m, valid).tolist() == [0.5]


def test_an_image_without_valid_pixels_spoils_no_other(maps):
    predicted, truth_m, valid = maps
    valid = valid.clone()
    valid[1] = False
    depth_m = depth.aligned(predicted, truth_m, valid, least_m=1e-3)
    scores = depth.abs_rel(depth_m, truth_m, valid)
    assert torch.isfinite(scores).all()
    assert scores[1] == 0
