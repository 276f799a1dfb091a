import dataclasses

import drawn_scenes
import pytest
import torch

from monostep.evaluation import baselines
from monostep.evaluation.sets.procedural import Procedural
from monostep.evaluation.sets.real import Motorcycle

PROTOCOL = Procedural(images=1, baseline_scenes=6, baseline_height=6, baseline_width=8)


@pytest.fixture(autouse=True)
def _drawn(monkeypatch):
    monkeypatch.setattr(baselines, "render", drawn_scenes.render)


@pytest.fixture
def means():
    return baselines.training_means(PROTOCOL)


def test_the_row_rises_from_bottom_to_top_and_the_constant_does_not_vary():
    maps = baselines.depth_maps((5, 7), None)
    assert set(maps) == {"constant", "row"}
    assert (maps["row"].diff(dim=0) < 0).all()
    assert (maps["row"].diff(dim=1) == 0).all()
    assert not maps["constant"].any()


def test_where_no_other_scenes_are_known_normals_face_the_camera():
    (facing,) = baselines.normal_maps((2, 3), None).values()
    assert torch.equal(facing, torch.tensor([0.0, 0.0, -1.0])[:, None, None].expand(3, 2, 3))


def test_only_the_procedural_scenes_have_training_scenes(means, tmp_path):
    assert set(baselines.of(Motorcycle(), tmp_path).maps("depth", (4, 5))) == {"constant", "row"}
    assert list(tmp_path.iterdir()) == []
    found = baselines.of(PROTOCOL, tmp_path)
    assert set(found.maps("depth", (4, 5))) == {"constant", "row", "mean_map"}
    assert set(found.maps("normals", (4, 5))) == {"constant", "mean_map"}
    assert torch.equal(found.means.depth, means.depth)


@pytest.mark.parametrize("size", [(24, 32), (7, 5), (1, 1)])
def test_maps_have_the_size_asked_for(means, size):
    for values in baselines.depth_maps(size, means).values():
        assert tuple(values.shape) == size
    for values in baselines.normal_maps(size, means).values():
        assert tuple(values.shape) == (3, *size)
        torch.testing.assert_close(torch.linalg.vector_norm(values, dim=0), torch.ones(size))


def test_mean_maps_are_per_pixel_means_of_the_training_scenes(means):
    samples = drawn_scenes.render(PROTOCOL.baseline_seed, range(6), (6, 8))
    total, count = torch.zeros(6, 8), torch.zeros(6, 8)
    direction = torch.zeros(3, 6, 8)
    for row in range(6):
        near = samples.valid[row] & (samples.depth_m[row] <= PROTOCOL.far_m)
        depth_m = samples.depth_m[row]
        spread = depth_m - depth_m[near].mean()
        total += torch.where(near, spread / spread[near].abs().mean(), 0)
        count += near
        direction += samples.normals[row] * samples.valid[row]
    torch.testing.assert_close(means.depth, total / count.clamp_min(1), rtol=1e-4, atol=1e-5)
    seen = torch.linalg.vector_norm(direction, dim=0) > 1e-3
    cosine = (means.normals * direction).sum(dim=0) / torch.linalg.vector_norm(direction, dim=0)
    torch.testing.assert_close(cosine[seen], torch.ones(int(seen.sum())))
    whole = direction.sum(dim=(1, 2))
    torch.testing.assert_close(means.direction.flatten(), whole / whole.norm())


def test_normalised_depth_knows_neither_scale_nor_shift():
    depth_m, weight = torch.rand(2, 5, 6), (torch.rand(2, 5, 6) > 0.3).float()
    one = baselines.normalised(depth_m, weight)
    torch.testing.assert_close(baselines.normalised(30 * depth_m + 4, weight), one)
    mean = (one * weight).sum(dim=(1, 2)) / weight.sum(dim=(1, 2))
    spread = (one.abs() * weight).sum(dim=(1, 2)) / weight.sum(dim=(1, 2))
    torch.testing.assert_close(mean, torch.zeros(2), rtol=0, atol=1e-5)
    torch.testing.assert_close(spread, torch.ones(2))
    assert not baselines.normalised(torch.ones(1, 2, 2), torch.ones(1, 2, 2)).any()


def test_the_file_is_used_for_the_same_scenes_and_only_for_those(tmp_path, monkeypatch):
    first = baselines.load_or_compute(PROTOCOL, tmp_path)
    computed = []
    monkeypatch.setattr(
        baselines, "training_means", lambda protocol: computed.append(protocol) or first
    )
    again = baselines.load_or_compute(PROTOCOL, tmp_path)
    assert not computed
    for field in dataclasses.fields(first):
        assert torch.equal(getattr(again, field.name), getattr(first, field.name))
    other = dataclasses.replace(PROTOCOL, baseline_scenes=7)
    baselines.load_or_compute(other, tmp_path)
    assert computed == [other]


def test_a_renderer_that_draws_something_else_makes_the_file_stale(tmp_path, monkeypatch):
    means = baselines.load_or_compute(PROTOCOL, tmp_path)
    computed = []
    monkeypatch.setattr(
        baselines, "training_means", lambda protocol: computed.append(protocol) or means
    )
    monkeypatch.setattr(
        baselines, "render", lambda seed, *rest: drawn_scenes.render(seed + 1, *rest)
    )
    baselines.load_or_compute(PROTOCOL, tmp_path)
    assert computed
