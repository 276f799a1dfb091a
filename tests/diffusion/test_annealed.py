import numpy as np
import pytest
import torch

from monostep.diffusion import annealed, noise
from monostep.errors import SettingError

SIZE = (4, 24, 32)
WHITE_AT_ZERO = ("original", "power-of-two")


def _draw(strategy="original", *, size=SIZE, strength=0.9, seed=7):
    generator = torch.Generator().manual_seed(seed)
    return annealed.draw(size, strength=strength, strategy=strategy, generator=generator)


# laws


@pytest.mark.parametrize("strategy", annealed.GRIDS)
@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("size", [(4, 60, 80), (4, 5, 3), (4, 1, 7), (1, 1, 1)])
def test_every_size_is_finite_with_unit_deviation(strategy, strength, size):
    drawn = _draw(strategy, size=size, strength=strength)
    assert drawn.shape == size
    assert drawn.dtype == torch.float32
    assert torch.isfinite(drawn).all()
    if drawn.numel() > 1:
        assert drawn.std().item() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("strategy", annealed.GRIDS)
def test_the_generator_decides_everything_and_the_global_one_nothing(strategy):
    before = torch.get_rng_state()
    assert torch.equal(_draw(strategy), _draw(strategy))
    assert not torch.equal(_draw(strategy), _draw(strategy, seed=8))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("strategy", WHITE_AT_ZERO)
def test_at_time_0_only_the_finest_level_is_left(strategy):
    generator = torch.Generator().manual_seed(7)
    white = torch.randn(SIZE, generator=generator)
    if strategy == "original":
        torch.rand((), generator=generator, dtype=torch.float64)  # the ratio of the first grid
    white = white + torch.randn(SIZE, generator=generator)
    torch.testing.assert_close(_draw(strategy, strength=0.0), white / white.std())


def _coarse_energy(strategy, strength):
    """The part of the power spectrum within two cycles per image, without the mean."""
    draws = [_draw(strategy, size=(4, 32, 32), strength=strength, seed=k) for k in range(16)]
    power = torch.fft.fft2(torch.stack(draws)).abs().square().mean(dim=(0, 1))
    cycles = torch.fft.fftfreq(32, 1 / 32).abs()
    low = (cycles[:, None] <= 2) & (cycles[None] <= 2)
    power[0, 0] = 0
    return (power[low].sum() / power.sum()).item()


@pytest.mark.parametrize("strategy", annealed.GRIDS)
def test_coarse_energy_rises_with_the_strength(strategy):
    energies = [_coarse_energy(strategy, strength) for strength in (0.0, 0.45, 0.9)]
    assert energies == sorted(energies)
    assert energies[2] > 1.5 * energies[0]
    if strategy in WHITE_AT_ZERO:
        assert energies[0] == pytest.approx(24 / 1023, rel=0.2)


@pytest.mark.parametrize("seed", range(3))
def test_at_full_strength_it_is_the_pyramid_of_inference(seed):
    generator = torch.Generator().manual_seed(seed)
    pyramid = noise.draw("pyramid", size=SIZE, members=1, generator=generator)[0]
    assert torch.equal(_draw(strength=noise.DISCOUNT, seed=seed), pyramid)


# agreement


def _grids(strategy, full, numbers=(0.5,) * 20):
    numbers = iter(numbers)
    return list(annealed.GRIDS[strategy](full, lambda: next(numbers)))


def test_grids_by_hand():
    assert _grids("original", (60, 80), [0.9, 0.75, 0.5]) == [(60, 80), (17, 22), (1, 2)]
    assert _grids("power-of-two", (60, 80)) == [(60, 80), (30, 40), (7, 10), (1, 1)]
    assert _grids("random-step", (60, 80), [0.0, 0.5, 0.25, 0.9]) == [
        (30, 40),
        (10, 13),
        (4, 5),
        (1, 1),
    ]
    assert _grids("every-layer", (60, 80)) == [(30, 40), (15, 20), (7, 10), (3, 5), (1, 2)]
    assert _grids("every-layer", (1, 80)) == []


@pytest.mark.parametrize("full", [(60, 80), (44, 152), (64, 64), (7, 9), (2, 3)])
def test_every_layer_has_as_many_levels_as_the_logarithm_says(full):
    assert len(_grids("every-layer", full)) == int(np.log2(min(full)))


def _enlarge(values, size):
    """Bilinear, pixel areas aligned, edges repeated: one axis after the other, in numpy."""
    for axis, target in zip((1, 2), size, strict=True):
        source = values.shape[axis]
        place = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, source - 1)
        part = (place - low).reshape([-1 if a == axis else 1 for a in range(3)])
        values = (1 - part) * values.take(low, axis) + part * values.take(high, axis)
    return values


@pytest.mark.parametrize("strength", [0.0, 0.45, 0.9])
def test_the_original_is_the_published_formula(strength):
    channels, *full = SIZE
    generator = torch.Generator().manual_seed(7)

    def normal(*shape):
        return torch.randn(channels, *shape, generator=generator).double().numpy()

    total, grid = normal(*full), tuple(full)
    for i in range(10):
        ratio = 2 + 2 * torch.rand((), generator=generator, dtype=torch.float64).item()
        grid = tuple(max(1, int(side / ratio**i)) for side in grid)
        total = total + strength**i * _enlarge(normal(*grid), full)
        if 1 in grid:
            break
    np.testing.assert_allclose(_draw(strength=strength), total / total.std(ddof=1), atol=1e-5)


# errors


def test_unknown_strategies_and_strengths_are_named():
    with pytest.raises(SettingError, match=r"'pink'.*original, power-of-two"):
        _draw("pink")
    with pytest.raises(SettingError, match=r"strength 1\.5"):
        _draw(strength=1.5)
