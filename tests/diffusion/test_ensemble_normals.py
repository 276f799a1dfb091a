import numpy as np
import pytest
import torch
from torch.nn import functional as F

from monostep.diffusion import ensemble_normals
from monostep.errors import SettingError

METHODS = ensemble_normals.METHODS


@pytest.fixture(scope="module")
def diffusers_merge():
    return pytest.importorskip("diffusers").MarigoldNormalsPipeline.ensemble_normals


def _members(count, size=(9, 13), *, noise=0.3, seed=0):
    """Unit vectors around one smooth map that faces the camera and has azimuths of every kind."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.linspace(-1, 1, size[0])[:, None].expand(size)
    x = torch.linspace(-1, 1, size[1])[None].expand(size)
    smooth = torch.stack([x, y, torch.ones(size)])
    return F.normalize(smooth + noise * torch.randn(count, 3, *size, generator=generator), dim=1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 4])
def test_equal_members_come_back(method, count):
    member = _members(1)
    merged = ensemble_normals.merge(member.expand(count, -1, -1, -1), method=method)
    torch.testing.assert_close(merged.values, member[0], rtol=0, atol=2e-5)
    assert merged.uncertainty.shape == (9, 13)
    assert merged.uncertainty.max() < 5e-4  # the arc cosine of almost 1


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_the_members_does_not_matter(method):
    members = _members(5)
    one = ensemble_normals.merge(members, method=method)
    other = ensemble_normals.merge(members.flip(0), method=method)
    torch.testing.assert_close(one.values, other.values, rtol=0, atol=1e-6)
    torch.testing.assert_close(one.uncertainty, other.uncertainty, rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_turned_about_the_optical_axis_is_turned(method):
    members = _members(5, noise=0.1)
    members = members[:, :, :, 8:]  # x > 0: no azimuth jumps under a small turn
    angle = torch.tensor(0.2)
    turn = torch.eye(3)
    turn[:2, :2] = torch.stack(
        [torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])]
    )
    turned = ensemble_normals.merge(torch.einsum("ij,ejhw->eihw", turn, members), method=method)
    straight = ensemble_normals.merge(members, method=method)
    expected = torch.einsum("ij,jhw->ihw", turn, straight.values)
    torch.testing.assert_close(turned.values, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(turned.uncertainty, straight.uncertainty, rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_lengths_are_one(method):
    values = ensemble_normals.merge(_members(5), method=method).values
    length = torch.linalg.vector_norm(values, dim=0)
    torch.testing.assert_close(length, torch.ones_like(length), rtol=0, atol=2e-5)


def test_closest_map_is_one_whole_member_and_not_the_odd_one_out():
    members = _members(6, noise=0.1)
    members[2] = F.normalize(members[2] + 0.8 * torch.randn_like(members[2]), dim=0)
    values = ensemble_normals.merge(members, method="closest-map").values
    distances = [(values - member).abs().max().item() for member in members]
    assert min(distances) < 2e-5
    assert distances.index(min(distances)) != 2


def test_closest_is_a_member_at_every_pixel():
    members = _members(6)
    values = ensemble_normals.merge(members, method="closest").values
    same = (members == values).all(dim=1)
    assert same.any(dim=0).all()
    assert len(set(same.float().argmax(dim=0).flatten().tolist())) > 1


def test_uncertainty_is_the_same_for_every_method_and_grows_with_the_noise():
    calm, wild = _members(5, noise=0.05), _members(5, noise=0.5)
    first = ensemble_normals.merge(calm, method=METHODS[0]).uncertainty
    for method in METHODS[1:]:
        assert torch.equal(ensemble_normals.merge(calm, method=method).uncertainty, first)
    assert ensemble_normals.merge(wild).uncertainty.mean() > 3 * first.mean()
    assert 0 <= first.min() <= first.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_zero_and_opposite_vectors_stay_finite(method):
    members = _members(4)
    members[1, :, 0, 0] = 0
    members[:, :, 1, 1] = 0
    members[2:, :, 2, 2] = -members[:2, :, 2, 2]  # cancel out
    merged = ensemble_normals.merge(members, method=method)
    assert torch.isfinite(merged.values).all()
    assert torch.isfinite(merged.uncertainty).all()
    assert not merged.values[:, 1, 1].any()


@pytest.mark.parametrize("method", ["closest", "mean"])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_closest_and_mean_are_diffusers(diffusers_merge, method, count):
    members = _members(count, seed=count)
    members[0, :, 3, 4] = 0
    values, uncertainty = diffusers_merge(members, output_uncertainty=True, reduction=method)
    merged = ensemble_normals.merge(members, method=method)
    torch.testing.assert_close(merged.values, values[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(merged.uncertainty, uncertainty[0, 0], rtol=0, atol=1e-6)


def _closest_map_by_the_formulas(members):
    vectors = members.double().numpy()
    vectors = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-5)
    azimuth = np.arctan2(vectors[:, 1], vectors[:, 0]).mean(axis=0)
    polar = np.arccos(vectors[:, 2] / np.linalg.norm(vectors, axis=1)).mean(axis=0)
    mean = np.stack(
        [np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)]
    )
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    angle = np.arccos(np.clip((unit * mean).sum(axis=1), -0.999, 0.999)).sum(axis=(1, 2))
    return vectors[angle.argmin()]


@pytest.mark.parametrize("seed", range(8))
def test_closest_map_is_the_published_algorithm(seed):
    members = _members(5, noise=0.6, seed=seed)  # many azimuths jump between -pi and pi
    expected = torch.from_numpy(_closest_map_by_the_formulas(members)).float()
    values = ensemble_normals.merge(members, method="closest-map").values
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-6)


def test_an_unknown_way_is_named():
    with pytest.raises(SettingError, match=r"'median'.*closest-map, closest, mean"):
        ensemble_normals.merge(_members(2), method="median")
