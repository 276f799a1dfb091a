import dataclasses

import plain_losses
import pytest
import torch

from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.recipes.marigold import marigold_depth
from monostep.training.noising import Noising, equal_draws

LIKE = torch.zeros(64, 4, 32, 32)


def _noising(**settings):
    return Noising(dataclasses.replace(marigold_depth(), **settings), total=1000)


def _generators(count):
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def _coarse(noising, time):
    """Coarse power of many draws at a timestep, as a share of all."""
    drawn = noising.noise(LIKE, torch.full((64,), time), _generators(64))
    power = torch.fft.fft2(drawn).abs().square().mean(dim=(0, 1))
    cycles = torch.fft.fftfreq(32, 1 / 32).abs()
    low = (cycles[:, None] <= 2) & (cycles[None] <= 2)
    power[0, 0] = 0
    return (power[low].sum() / power.sum()).item()


def test_timesteps_are_uniform_from_the_first_to_the_last():
    times = _noising().times(_generators(20_000))
    assert (times.min(), times.max()) == (0, 999)
    shares = torch.histc(times.double(), bins=10, min=0, max=1000) / 20_000
    torch.testing.assert_close(shares, torch.full((10,), 0.1).double(), rtol=0, atol=0.01)


def test_coarse_noise_fades_with_the_timestep_if_it_is_annealed():
    white = 24 / 1023
    annealed, even = _noising(), _noising(noise_annealed=False)
    assert _coarse(annealed, 0) == pytest.approx(white, rel=0.1)
    assert _coarse(annealed, 999) > _coarse(annealed, 500) > 1.2 * white
    assert _coarse(even, 0) == _coarse(even, 999)
    assert _coarse(even, 0) == pytest.approx(_coarse(annealed, 999), rel=0.01)
    assert _coarse(_noising(training_noise="white"), 999) == pytest.approx(white, rel=0.1)


@pytest.mark.parametrize("time", [0, 250, 999])
def test_geowizards_pyramid_is_as_strong_as_the_timestep_is_late(time):
    (found,) = _noising(training_noise="pyramid-geowizard").noise(
        LIKE[:1], torch.tensor([time]), _generators(1)
    )
    expected = plain_losses.geowizards_pyramid((4, 32, 32), _generators(1)[0], time / 1000)
    torch.testing.assert_close(found, expected)


def test_scored_predictions_begin_with_equal_noise():
    schedule = Schedule(alpha_bar=scaled_linear(), target="velocity")
    sampler = Sampler(schedule=schedule, times=(999, 499), last="clean")
    draws = equal_draws(sampler, LIKE[:3], kind="gaussian", seed=4)
    assert draws.shape == (sampler.draws, 3, 4, 32, 32)
    assert (draws == draws[:, :1]).all()
    assert torch.equal(equal_draws(sampler, LIKE[:3], kind="gaussian", seed=4), draws)
    assert not torch.equal(equal_draws(sampler, LIKE[:3], kind="gaussian", seed=5), draws)
