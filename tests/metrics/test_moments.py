import pytest
import torch

from monostep.geometry import alignment
from monostep.metrics import moments

NAMES = ("values", "truth", "square", "variance", "covariance")


@pytest.fixture
def pixels():
    generator = torch.Generator().manual_seed(0)
    values = 3 + torch.rand(1000, generator=generator, dtype=torch.float64)
    truth = 7 - 2 * values + torch.rand(1000, generator=generator, dtype=torch.float64)
    weight = torch.rand(1000, generator=generator, dtype=torch.float64)
    weight[300:500] = 0
    return values, truth, weight


def _whole(values, truth, weight):
    """By definition."""
    total = weight.sum()
    mean, mean_truth = (weight * values).sum() / total, (weight * truth).sum() / total
    return {
        "values": mean,
        "truth": mean_truth,
        "square": (weight * values**2).sum() / total,
        "variance": (weight * (values - mean) ** 2).sum() / total,
        "covariance": (weight * (values - mean) * (truth - mean_truth)).sum() / total,
    }


def _check(parts, *whole):
    found = moments.pooled(torch.stack(parts))
    wanted = _whole(*whole)
    for name in NAMES:
        assert getattr(found, name).shape == (1,)
        assert getattr(found, name).item() == pytest.approx(wanted[name].item(), rel=1e-12), name


@pytest.mark.parametrize("size", [1000, 100, 7, 1])
def test_parts_make_the_whole_however_it_is_cut(pixels, size):
    values, truth, weight = pixels
    cut = [each.split(size) for each in pixels]
    _check(
        [moments.part(x, y) for x, y, _ in zip(*cut, strict=True)],
        *(values, truth, torch.ones_like(values)),
    )
    _check([moments.weighted_part(*each) for each in zip(*cut, strict=True)], values, truth, weight)


def test_far_from_zero_nothing_cancels(pixels):
    values, truth, weight = pixels
    far = values + 2.0**30
    parts = [moments.part(x, y) for x, y in zip(far.split(100), truth.split(100), strict=True)]
    found = moments.pooled(torch.stack(parts))
    wanted = _whole(values, truth, torch.ones_like(weight))
    assert found.variance.item() == pytest.approx(wanted["variance"].item(), rel=1e-6)
    assert found.covariance.item() == pytest.approx(wanted["covariance"].item(), rel=1e-6)


def test_they_solve_to_the_fit_of_the_whole(pixels):
    values, truth, weight = pixels
    parts = zip(*(each.split(33) for each in pixels), strict=True)
    found = alignment.solve(moments.pooled(torch.stack([moments.weighted_part(*p) for p in parts])))
    wanted = alignment.fit(*(each.reshape(1, 10, 100) for each in (values, truth, weight)))
    torch.testing.assert_close(found.scale, wanted.scale, rtol=1e-12, atol=0)
    torch.testing.assert_close(found.shift, wanted.shift, rtol=1e-12, atol=0)
