import math

import numpy as np
import pytest
import torch

from monostep.metrics import depth


@pytest.fixture
def maps():
    """Two parts' worth of pixels, and invalid ones that hold what must not be looked at."""
    generator = torch.Generator().manual_seed(0)
    truth_m = 0.5 + 9 * torch.rand(211, 307, generator=generator)
    depth_m = truth_m * (0.3 * torch.randn(211, 307, generator=generator)).exp()
    valid = torch.rand(211, 307, generator=generator) > 0.3
    valid[:60] = False
    truth_m[~valid] = math.nan
    depth_m[~valid & (torch.rand(211, 307, generator=generator) > 0.5)] = math.inf
    return depth_m, truth_m, valid


def _numpy(depth_m, truth_m, valid):
    """Whole maps, formula by formula."""
    d, g = (each.numpy()[valid.numpy()].astype(np.float64) for each in (depth_m, truth_m))
    e = np.log(d) - np.log(g)
    return {
        "abs_rel": np.mean(np.abs(d - g) / g),
        "sq_rel": np.mean((d - g) ** 2 / g),
        "rmse_m": np.sqrt(np.mean((d - g) ** 2)),
        "rmse_log": np.sqrt(np.mean(e**2)),
        "log10": np.mean(np.abs(np.log10(d) - np.log10(g))),
        "delta1": np.mean(np.maximum(d / g, g / d) < 1.25),
        "delta2": np.mean(np.maximum(d / g, g / d) < 1.25**2),
        "delta3": np.mean(np.maximum(d / g, g / d) < 1.25**3),
        "i_rmse_per_m": np.sqrt(np.mean((1 / d - 1 / g) ** 2)),
        "silog": 100 * np.std(e),
    }


def test_all_ten_are_numpys(maps):
    found = depth.scores(*maps)
    assert tuple(found) == depth.NAMES
    assert found == pytest.approx(_numpy(*maps), rel=1e-12)


@pytest.mark.parametrize("scale", [1 + 1e-5, 0.9, 3.0])
def test_silog_does_not_see_the_scale_and_cancels_nothing(maps, scale):
    depth_m, truth_m, valid = (each.double() for each in maps)
    slightly = truth_m * (1 + 1e-7 * (depth_m / truth_m - 1).tanh())
    found = depth.scores(scale * slightly, truth_m, valid > 0)["silog"]
    assert found == pytest.approx(depth.scores(slightly, truth_m, valid > 0)["silog"], rel=1e-6)
    assert 0 < found < 1e-5


def test_the_truth_is_perfect(maps):
    _, truth_m, valid = maps
    found = depth.scores(truth_m, truth_m, valid)
    assert [found.pop(f"delta{power}") for power in (1, 2, 3)] == [1, 1, 1]
    assert set(found.values()) == {0.0}


def test_metrics_without_unit_do_not_see_it(maps):
    depth_m, truth_m, valid = maps
    metres, other = depth.scores(*maps), depth.scores(4 * depth_m, 4 * truth_m, valid)
    powers = {"sq_rel": 1, "rmse_m": 1, "i_rmse_per_m": -1}
    assert other == pytest.approx(
        {name: 4 ** powers.get(name, 0) * value for name, value in metres.items()}, rel=1e-12
    )


def test_the_symmetric_ones_do_not_know_which_is_the_truth(maps):
    depth_m, truth_m, valid = maps
    one, other = depth.scores(*maps), depth.scores(truth_m, depth_m, valid)
    for name in set(depth.NAMES) - {"abs_rel", "sq_rel"}:
        assert other[name] == pytest.approx(one[name], rel=1e-12), name
    assert other["abs_rel"] != pytest.approx(one["abs_rel"], rel=1e-6)


def test_a_looser_delta_holds_more(maps):
    found = depth.scores(*maps)
    assert 0 < found["delta1"] < found["delta2"] < found["delta3"] < 1


@pytest.mark.parametrize("power", [1, 2, 3])
def test_delta_takes_no_pixel_at_the_threshold(power):
    limit = 1.25**power
    depth_m = torch.tensor([[limit, limit - 1e-6, 1 / limit, 1 / limit + 1e-6]]).double()
    depth_m[0, 2] = 1
    truth_m = torch.tensor([[1, 1, limit, 1]]).double()
    found = depth.scores(depth_m, truth_m, torch.ones(1, 4, dtype=torch.bool))
    assert found[f"delta{power}"] == 0.5


def test_without_a_valid_pixel_all_are_nan(maps):
    depth_m, truth_m, valid = maps
    found = depth.scores(depth_m, truth_m, torch.zeros_like(valid))
    assert tuple(found) == depth.NAMES
    assert all(math.isnan(value) for value in found.values())


def test_one_pixel_has_scores():
    one = torch.tensor([[2.0]])
    found = depth.scores(one, 2 * one, torch.ones(1, 1, dtype=torch.bool))
    assert found["abs_rel"] == 0.5
    assert found["rmse_log"] == pytest.approx(math.log(2))
    assert found["silog"] == 0


def test_abs_rel_of_a_batch_is_that_of_each_image(maps):
    depth_m, truth_m, valid = (torch.stack((each, each.flip(0))) for each in maps)
    depth_m[1] = 1.1 * depth_m[1].nan_to_num(posinf=1)
    depth_m[0] = depth_m[0].nan_to_num(posinf=1)
    found = depth.abs_rel(depth_m, truth_m, valid)
    for row in range(2):
        wanted = depth.scores(depth_m[row], truth_m[row], valid[row])["abs_rel"]
        assert float(found[row]) == pytest.approx(wanted, rel=1e-5)


def test_in_a_batch_an_image_without_valid_pixels_spoils_no_other(maps):
    depth_m, truth_m, valid = (torch.stack((each, each)) for each in maps)
    valid[1] = False
    found = depth.abs_rel(depth_m.nan_to_num(posinf=1), truth_m, valid)
    assert torch.isfinite(found).all()
    assert found[1] == 0
