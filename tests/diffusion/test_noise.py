import numpy as np
import pytest
import torch

from monostep.diffusion import noise
from monostep.errors import SettingError

RANDOM = ("gaussian", "pyramid", "pyramid-geowizard")
PYRAMIDS = {"pyramid": noise.compounding, "pyramid-geowizard": noise.independent}


def _draw(kind, *, size=(4, 24, 32), members=3, seed=7, **settings):
    generator = torch.Generator().manual_seed(seed)
    return noise.draw(kind, size=size, members=members, generator=generator, **settings)


# laws


@pytest.mark.parametrize("kind", noise.KINDS)
@pytest.mark.parametrize("size", [(4, 1, 1), (4, 1, 7), (1, 1, 1), (4, 5, 3), (4, 60, 80)])
def test_every_size_gives_finite_float32(kind, size):
    drawn = _draw(kind, size=size)
    assert drawn.shape == (3, *size)
    assert drawn.dtype == torch.float32
    assert torch.isfinite(drawn).all()


def test_zeros_are_zeros_and_draw_nothing():
    generator = torch.Generator().manual_seed(7)
    drawn = noise.draw("zeros", size=(4, 5, 6), members=2, generator=generator)
    assert not drawn.any()
    assert torch.equal(
        torch.randn(5, generator=generator), torch.randn(5, generator=generator.manual_seed(7))
    )


@pytest.mark.parametrize("kind", RANDOM)
def test_the_generator_decides_everything(kind):
    torch.manual_seed(1)
    first = _draw(kind)
    torch.manual_seed(2)
    assert torch.equal(_draw(kind), first)
    assert not torch.equal(_draw(kind, seed=8), first)


@pytest.mark.parametrize("kind", RANDOM)
def test_the_global_generator_is_left_alone(kind):
    before = torch.get_rng_state()
    _draw(kind)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", RANDOM)
def test_more_members_leave_the_first_ones_as_they_are(kind):
    assert torch.equal(_draw(kind, members=5)[:2], _draw(kind, members=2))


@pytest.mark.parametrize("kind", RANDOM)
def test_members_differ(kind):
    one, other, _ = _draw(kind)
    assert np.corrcoef(one.flatten(), other.flatten())[0, 1] < 0.5


@pytest.mark.parametrize("kind", PYRAMIDS)
def test_a_pyramid_has_unit_deviation_member_by_member(kind):
    deviation = _draw(kind).flatten(1).std(dim=1)
    torch.testing.assert_close(deviation, torch.ones(3), rtol=1e-5, atol=0)


def test_gaussian_has_zero_mean_and_unit_deviation():
    drawn = _draw("gaussian", size=(4, 96, 96), members=4)
    assert drawn.mean().abs() < 0.01
    assert drawn.std() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("kind", PYRAMIDS)
def test_pyramids_have_zero_mean_over_many_draws(kind):
    drawn = _draw(kind, size=(4, 8, 8), members=500)
    assert drawn.mean().abs() < 4 * drawn.mean(dim=(2, 3)).std() / np.sqrt(2000)


def _coarse_energy(drawn):
    """The part of the power spectrum within two cycles per image, without the mean."""
    power = torch.fft.fft2(drawn).abs().square().mean(dim=(0, 1))
    cycles = torch.fft.fftfreq(32, 1 / 32).abs()
    low = (cycles[:, None] <= 2) & (cycles[None] <= 2)
    power[0, 0] = 0
    return (power[low].sum() / power.sum()).item()


@pytest.mark.parametrize("kind", PYRAMIDS)
def test_pyramids_have_more_coarse_energy_than_gaussian(kind):
    settings = {"size": (4, 32, 32), "members": 16}
    white = _coarse_energy(_draw("gaussian", **settings))
    assert white == pytest.approx(24 / 1023, rel=0.2)
    assert _coarse_energy(_draw(kind, **settings)) > 3 * white


def test_level_weighs_the_coarse_part_of_geowizards_pyramid():
    settings = {"size": (4, 32, 32), "members": 16}
    energies = [
        _coarse_energy(_draw("pyramid-geowizard", level=level, **settings))
        for level in (0.0, 0.3, 0.999)
    ]
    assert energies == sorted(energies)
    assert energies[0] == pytest.approx(24 / 1023, rel=0.2)


# agreement


@pytest.mark.parametrize("size", [(4, 24, 32), (4, 5, 3), (4, 1, 1)])
def test_gaussian_is_one_torch_randn(size):
    expected = torch.randn(3, *size, generator=torch.Generator().manual_seed(7))
    assert torch.equal(_draw("gaussian", size=size), expected)


def _grids(kind, full, numbers):
    numbers = iter(numbers)
    return list(PYRAMIDS[kind](full, lambda: next(numbers)))


def test_grids_of_the_pyramid_by_hand():
    # r = 2 + 2 U to the power 0, 1, 2, each applied to the grid before
    assert _grids("pyramid", (60, 80), [0.9, 0.75, 0.5]) == [(60, 80), (17, 22), (1, 2)]
    assert _grids("pyramid", (60, 80), [0.9, 0.75, 0.25, 0.0]) == [
        (60, 80),
        (17, 22),
        (2, 3),
        (1, 1),
    ]
    assert _grids("pyramid", (1, 80), [0.5]) == [(1, 80)]


def test_grids_of_geowizards_pyramid_by_hand():
    # r = 1.5 + 1.5 U to the power 0, 1, 2, ..., each applied to the full grid
    assert _grids("pyramid-geowizard", (60, 80), [0.9, 0.0, 0.5, 0.0, 1 / 3, 0.98, 0.98]) == [
        (60, 80),
        (40, 53),
        (11, 15),
        (17, 23),
        (3, 5),
        (1, 1),
    ]
    assert _grids("pyramid-geowizard", (400000, 400000), [0.0] * 20)[-1] == (10404, 10404)


@pytest.mark.parametrize("kind", PYRAMIDS)
def test_there_are_ten_grids_at_most(kind):
    assert len(_grids(kind, (10**30, 10**30), [0.0] * 20)) == 10


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


def _pyramid_by_the_formulas(kind, size, generator):
    channels, height, width = size

    def normal(*shape):
        return torch.randn(channels, *shape, generator=generator).double().numpy()

    total, grid = normal(height, width), (height, width)
    for i in range(10):
        uniform = torch.rand((), generator=generator, dtype=torch.float64).item()
        if kind == "pyramid":
            weight, origin, ratio = 0.9**i, grid, 2 + 2 * uniform
        else:
            weight, origin, ratio = 0.999 * 0.9**i, (height, width), 1.5 + 1.5 * uniform
        grid = tuple(max(1, int(side / ratio**i)) for side in origin)
        total = total + weight * _enlarge(normal(*grid), (height, width))
        if 1 in grid:
            break
    return total / total.std(ddof=1)


@pytest.mark.parametrize("kind", PYRAMIDS)
@pytest.mark.parametrize("size", [(4, 24, 32), (4, 60, 80), (4, 1, 9)])
@pytest.mark.parametrize("seed", range(3))
def test_pyramids_are_the_published_ones(kind, size, seed):
    generator = torch.Generator().manual_seed(seed)
    expected = np.stack([_pyramid_by_the_formulas(kind, size, generator) for _ in range(2)])
    drawn = _draw(kind, size=size, members=2, seed=seed)
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=1e-5)


# errors


def test_unknown_kinds_and_no_members_are_named():
    with pytest.raises(SettingError, match=r"'pink'.*zeros, gaussian, pyramid, pyramid-geowizard"):
        _draw("pink")
    with pytest.raises(SettingError, match="0 ensemble members"):
        _draw("gaussian", members=0)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_later_draws_come_member_by_member(count):
    generator = torch.Generator().manual_seed(4)
    draws = noise.draw_each(count, size=(4, 3, 5), members=2, generator=generator)
    assert draws.shape == (count, 2, 4, 3, 5)
    again = torch.Generator().manual_seed(4)
    for member in range(2):
        for step in range(count):
            expected = torch.randn(4, 3, 5, generator=again)
            torch.testing.assert_close(draws[step, member], expected, rtol=0, atol=0)
