import numpy as np
import pytest
import torch

from monostep.geometry import alignment
from monostep.geometry.alignment import Affine


@pytest.fixture
def maps():
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(3, 8, 9, generator=generator, dtype=torch.float64)
    weight = (torch.rand(3, 8, 9, generator=generator) > 0.2).double()
    return values, weight


@pytest.mark.parametrize(("scale", "shift"), [(3.0, 1.0), (0.001, 50.0), (-2.0, 4.0)])
def test_it_finds_the_scale_and_shift_that_made_the_truth(maps, scale, shift):
    values, weight = maps
    fitted = alignment.fit(values, scale * values + shift, weight)
    torch.testing.assert_close(fitted.scale, torch.full((3,), scale, dtype=torch.float64))
    torch.testing.assert_close(fitted.shift, torch.full((3,), shift, dtype=torch.float64))


def test_fitting_back_undoes_it(maps):
    values, weight = maps
    truth = 7 * values - 2
    there = alignment.fit(values, truth, weight).apply(values)
    back = alignment.fit(there, values, weight).apply(there)
    torch.testing.assert_close(back, values)


def test_aligning_twice_changes_nothing(maps):
    values, weight = maps
    truth = torch.rand(values.shape, dtype=torch.float64)
    once = alignment.fit(values, truth, weight).apply(values)
    again = alignment.fit(once, truth, weight)
    torch.testing.assert_close(again.apply(once), once)
    torch.testing.assert_close(again.scale, torch.ones(3, dtype=torch.float64))


def test_it_is_numpy_least_squares(maps):
    values, weight = maps
    truth = torch.rand(values.shape, dtype=torch.float64)
    fitted = alignment.fit(values, truth, weight)
    for row in range(3):
        used = weight[row].numpy() > 0
        column = values[row].numpy()[used]
        system = np.stack([column, np.ones_like(column)], axis=1)
        wanted, *_ = np.linalg.lstsq(system, truth[row].numpy()[used], rcond=None)
        got = [float(fitted.scale[row]), float(fitted.shift[row])]
        np.testing.assert_allclose(got, wanted, rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, 0.3, 0.7, -123.456, 1e6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_constant_map_gets_scale_0_and_the_mean(value, dtype):
    truth = torch.arange(12 * 17, dtype=dtype).reshape(1, 12, 17)
    weight = torch.ones_like(truth)
    fitted = alignment.fit(torch.full_like(truth, value), truth, weight)
    assert fitted.scale.tolist() == [0]
    torch.testing.assert_close(fitted.shift, truth.mean()[None])


def test_a_nearly_constant_map_keeps_its_scale_in_float32():
    generator = torch.Generator().manual_seed(1)
    values = 0.5 + 1e-4 * torch.randn(1, 96, 128, generator=generator)
    truth = 3000 * (values.double() - 0.5) + 2
    fitted = alignment.fit(values, truth.float(), torch.ones_like(values))
    assert float(fitted.scale) == pytest.approx(3000, rel=1e-3)


def test_centred_maps_have_mean_0_over_the_weighted_pixels(maps):
    values, weight = maps
    mean = (alignment.centred(values, weight) * weight).sum(dim=(1, 2))
    torch.testing.assert_close(mean, torch.zeros(3, dtype=torch.float64))


def test_apply_is_scale_times_map_plus_shift():
    affine = Affine(scale=torch.tensor([2.0, 3.0]), shift=torch.tensor([1.0, -1.0]))
    assert affine.apply(torch.ones(2, 1, 1)).flatten().tolist() == [3, 2]
