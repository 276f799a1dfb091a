import sys

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from monostep.diffusion import ensemble_depth
from monostep.errors import MissingExtraError, SettingError

METHODS = ensemble_depth.METHODS


@pytest.fixture(scope="module")
def diffusers_merge():
    return pytest.importorskip("diffusers").MarigoldDepthPipeline.ensemble_depth


def _scene(height, width):
    y = torch.linspace(0, 1, height)[:, None]
    x = torch.linspace(0, 1, width)[None]
    hill = ((x - 0.5).square() + (y - 0.4).square() < 0.05).float()
    scene = 0.3 * y + 0.2 * torch.sin(6 * x) + 0.3 * hill
    return (scene - scene.min()) / (scene.max() - scene.min())


def _members(count, size=(37, 53), *, noise=0.0, seed=0):
    """The scene through `count` affine maps, each with noise of its own."""
    generator = torch.Generator().manual_seed(seed)
    scale = 0.4 + 0.5 * torch.rand(count, 1, 1, generator=generator)
    shift = (1 - scale) * torch.rand(count, 1, 1, generator=generator)
    seen = _scene(*size) + noise * torch.randn(count, *size, generator=generator)
    return (scale * seen + shift).clamp(0, 1)


def _largest(one, other):
    return (one - other).abs().max().item()


# laws


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_an_affine_ensemble_gives_the_scene_without_doubt(method, count):
    merged = ensemble_depth.merge(_members(count), method=method)
    assert _largest(merged.values, _scene(37, 53)) < 1e-5
    assert merged.uncertainty.max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_a_scaled_ensemble_gives_the_scene_with_its_own_zero(method):
    scene = 0.2 + 0.8 * _scene(37, 53)
    scale = torch.tensor([0.3, 1.0, 0.55])[:, None, None]
    merged = ensemble_depth.merge(scale * scene, method=method, invariance="scale")
    assert _largest(merged.values, scene) < 1e-5
    assert merged.uncertainty.max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_an_affine_change_of_one_member_changes_little(method, count):
    members = _members(count, noise=0.02)
    changed = members.clone()
    changed[1] = 0.3 * changed[1] + 0.5
    before = ensemble_depth.merge(members, method=method)
    after = ensemble_depth.merge(changed, method=method)
    # Rounding steers the search: the median moves by less than the noise of the members.
    assert _largest(before.values, after.values) < 0.02


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_order_of_the_members_changes_little(method, count):
    members = _members(count, noise=0.02)
    before = ensemble_depth.merge(members, method=method)
    after = ensemble_depth.merge(members.flip(0), method=method)
    assert _largest(before.values, after.values) < 0.02


@pytest.mark.parametrize("method", METHODS)
def test_more_members_are_nearer_to_the_scene(method):
    errors = []
    for count in (1, 3, 9):
        values = ensemble_depth.merge(_members(count, noise=0.05), method=method).values
        flat, scene = values.flatten().double(), _scene(37, 53).flatten().double()
        errors.append(1 - np.corrcoef(flat, scene)[0, 1])
    assert errors[2] < errors[1] < errors[0]


def test_uncertainty_is_large_where_the_members_disagree():
    members = _members(7, noise=0.01)
    members[:, :, :10] += 0.2 * torch.rand(7, 37, 10, generator=torch.Generator().manual_seed(1))
    merged = ensemble_depth.merge(members.clamp(0, 1))
    assert merged.uncertainty[:, :10].mean() > 3 * merged.uncertainty[:, 10:].mean()


def test_one_member_is_its_own_range():
    member = 0.3 + 0.4 * _scene(9, 14)[None]
    affine = ensemble_depth.merge(member)
    assert _largest(affine.values, (member[0] - member.min()) / (member.max() - member.min())) == 0
    assert not affine.uncertainty.any()
    scale = ensemble_depth.merge(member, invariance="scale")
    assert _largest(scale.values, member[0] / member.max()) == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("invariance", ensemble_depth.INVARIANCES)
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_constant_members_crash_nothing(method, invariance, level):
    settings = {"method": method, "invariance": invariance}
    one = _members(4, noise=0.02)
    one[2] = level
    merged = ensemble_depth.merge(one, **settings)
    assert torch.isfinite(merged.values).all()
    assert torch.isfinite(merged.uncertainty).all()
    assert merged.values.max() == 1
    flat = ensemble_depth.merge(torch.full((3, 5, 7), level), **settings)
    expected = 1.0 if invariance == "scale" and level > 0 else 0.0  # its own range starts at 0
    assert _largest(flat.values, torch.tensor(expected)) < 1e-3
    assert not flat.uncertainty.any()


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2000, 1)])
def test_any_size_is_merged(size):
    members = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    merged = ensemble_depth.merge(members, max_res=16)
    assert merged.values.shape == merged.uncertainty.shape == size
    assert torch.isfinite(merged.values).all()


def test_half_precision_is_merged_in_float32():
    merged = ensemble_depth.merge(_members(3).half())
    assert merged.values.dtype == torch.float32
    assert _largest(merged.values, _scene(37, 53)) < 2e-3


# the degenerate optimum


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("invariance", ensemble_depth.INVARIANCES)
def test_the_published_search_leaves_the_scales_where_they_start(method, invariance):
    members = _members(5, noise=0.3)
    start = ensemble_depth._start(members, affine=invariance == "affine")
    found = ensemble_depth._search(members, start, method, 50, 1e-6)
    np.testing.assert_array_equal(found[:5], start[:5])


def _long_search(members, method):
    """The scales found by a search that gets further than the published ones, by their starts."""
    start = ensemble_depth._start(members, affine=True)
    found = ensemble_depth._search(members, start, method, 100, 1e-6)
    return found[: len(members)] / start[: len(members)]


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_no_member_of_a_long_and_precise_search_collapses(method, monkeypatch):
    members = _members(3, (12, 17), noise=0.2).double()
    guarded = _long_search(members, method)
    assert guarded.min() > 0.9 * ensemble_depth.SMALLEST_SCALE
    monkeypatch.setattr(ensemble_depth, "SMALLEST_SCALE", 1e-30)
    free = _long_search(members, method)
    assert np.abs(free).min() < 0.5 * guarded.min()  # what the guard is for


def _likeness(members, method):
    """Correlation with the scene of what a long and precise search makes of the members."""
    merged = ensemble_depth.merge(members, method=method, max_iter=100, tolerance=1e-6)
    return np.corrcoef(merged.values.flatten(), _scene(12, 17).flatten())[0, 1]


@pytest.mark.parametrize("method", ["joint", pytest.param("pairwise", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_the_guard_keeps_the_scene_in_a_long_and_precise_search(method, monkeypatch):
    ensembles = [_members(3, (12, 17), noise=0.2, seed=seed).double() for seed in range(2)]
    guarded = [_likeness(members, method) for members in ensembles]
    monkeypatch.setattr(ensemble_depth, "SMALLEST_SCALE", 1e-30)
    free = [_likeness(members, method) for members in ensembles]
    assert np.mean(guarded) > np.mean(free) + 0.02


def test_the_guard_is_exactly_nothing_until_a_tenth():
    start = np.array([1.0, 2.5, 1e6])
    assert ensemble_depth._collapse(0.1001 * start, start) == 0
    assert ensemble_depth._collapse(7 * start, start) == 0
    assert ensemble_depth._collapse(0 * start, start) == 3
    assert ensemble_depth._collapse(start * [1, 1, 0.05], start) == pytest.approx(0.5)


# agreement with the published ways


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(
    ("count", "size"),
    [
        *((2, (37, 53)), (3, (48, 32)), (5, (37, 53)), (4, (11, 1100))),
        pytest.param(10, (24, 31), marks=pytest.mark.slow),
    ],
)
def test_pairwise_is_diffusers(diffusers_merge, affine, count, size):
    members = _members(count, size, noise=0.1, seed=count)
    values, uncertainty = diffusers_merge(
        members[:, None], shift_invariant=affine, output_uncertainty=True
    )
    merged = ensemble_depth.merge(members, invariance="affine" if affine else "scale")
    assert _largest(merged.values, values[0, 0]) < 1e-6
    assert _largest(merged.uncertainty, uncertainty[0, 0]) < 1e-6


@pytest.mark.parametrize("max_res", [17, 32, 4096])
def test_pairwise_is_diffusers_where_the_alignment_is_small(diffusers_merge, max_res):
    members = _members(4, (45, 61), noise=0.05)
    values, _ = diffusers_merge(members[:, None], max_res=max_res)
    assert _largest(ensemble_depth.merge(members, max_res=max_res).values, values[0, 0]) < 1e-6


def test_pairwise_is_diffusers_with_a_constant_member(diffusers_merge):
    members = _members(5, noise=0.05)
    members[3] = 0.4
    values, _ = diffusers_merge(members[:, None])
    assert _largest(ensemble_depth.merge(members).values, values[0, 0]) < 1e-6


def test_marigold_v1_1_code_searches_longer(diffusers_merge):
    members = _members(4, noise=0.1)
    values, _ = diffusers_merge(members[:, None], max_iter=50, tol=1e-6)
    merged = ensemble_depth.merge(members, max_iter=50, tolerance=1e-6)
    assert _largest(merged.values, values[0, 0]) < 1e-6


def _joint_by_the_formulas(members):
    """Marigold v1.0's published algorithm, written anew: everything float32, all pairs at once."""
    count = len(members)
    flat = members.reshape(count, -1).numpy()
    scale = 1 / (flat.max(axis=1) - flat.min(axis=1))
    start = np.concatenate([scale, -scale * flat.min(axis=1)])

    def aligned(parameters):
        both = torch.from_numpy(parameters).float().view(2, count, 1, 1)
        return members * both[0] + both[1]

    def cost(parameters):
        maps = aligned(parameters)
        pairs = [maps[i] - maps[j] for i in range(count) for j in range(i + 1, count)]
        middle = maps.sort(dim=0).values[(count - 1) // 2]
        ends = torch.abs(0 - middle.min()) + torch.abs(1 - middle.max())
        return float(torch.sqrt(torch.mean(torch.stack(pairs) ** 2)) + 0.02 * ends)

    found = minimize(cost, start, method="BFGS", tol=1e-3, options={"maxiter": 2}).x
    maps = aligned(found).numpy()
    middle = np.sort(maps, axis=0)[(count - 1) // 2]
    deviation = np.sort(np.abs(maps - middle), axis=0)[(count - 1) // 2]
    span = middle.max() - middle.min()
    return (middle - middle.min()) / span, deviation / span


@pytest.mark.parametrize("count", [2, 3, 5, 10])
@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_joint_is_the_published_algorithm(count, noise):
    members = _members(count, noise=noise, seed=count)
    values, uncertainty = _joint_by_the_formulas(members)
    merged = ensemble_depth.merge(members, method="joint")
    assert _largest(merged.values, torch.from_numpy(values)) < 1e-6
    assert _largest(merged.uncertainty, torch.from_numpy(uncertainty)) < 1e-6


def test_both_costs_are_the_formulas_in_double_precision():
    maps = _members(4, (5, 6), noise=0.3).double()
    pairs = np.array([(maps[i] - maps[j]).numpy() for i in range(4) for j in range(i + 1, 4)])
    middle = np.sort(maps.numpy(), axis=0)[1]
    ends = 0.02 * (abs(middle.min()) + abs(1 - middle.max()))
    joint = np.sqrt((pairs**2).mean()) + ends
    pairwise = np.sqrt((pairs**2).mean(axis=(1, 2))).sum() + ends
    assert ensemble_depth._joint_cost(maps) == pytest.approx(joint, rel=1e-12)
    assert ensemble_depth._pairwise_cost(maps) == pytest.approx(pairwise, rel=1e-12)


# errors


def test_unknown_ways_are_named():
    with pytest.raises(SettingError, match=r"'averaged'.*joint, pairwise"):
        ensemble_depth.merge(_members(2), method="averaged")
    with pytest.raises(SettingError, match=r"'metric'.*affine, scale"):
        ensemble_depth.merge(_members(2), invariance="metric")


def test_scipy_is_asked_for_only_where_it_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    ensemble_depth.merge(_members(1))
    with pytest.raises(MissingExtraError, match=r"pip install 'monostep\[ensemble\]'"):
        ensemble_depth.merge(_members(2))
