"""A predictor of depth and normals together."""

from functools import partial

import joint_models
import numpy as np
import pytest
import torch

from monostep.diffusion import noise
from monostep.errors import MonostepWarning, SettingError
from monostep.geometry.domain import DOMAINS
from monostep.geometry.geometry import Geometry
from monostep.images.squash import squash
from monostep.pictures import as_tensor
from monostep.predictor import Predictor


def _predictor(**how):
    network = joint_models.model(**how)
    return Predictor(network, joint_models.CARD, device=torch.device("cpu"), dtype=torch.float32)


@pytest.fixture(scope="module")
def joint():
    return _predictor()


def _photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _values(geometry):
    return geometry.depth.values, geometry.normals.values


def _same(one, other):
    return all(map(np.array_equal, _values(one), _values(other)))


@pytest.mark.parametrize("size", [(1, 1), (37, 53)])
def test_both_maps_lie_on_the_inputs_own_grid(joint, size):
    result = joint(_photo(*size))
    assert isinstance(result, Geometry)
    depth, normals = _values(result)
    assert depth.shape == size
    assert (depth.min() >= 0, depth.max() <= 1) == (True, True)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=2), np.ones(size), atol=1e-5)
    depth, normals = result.depth.provenance, result.normals.provenance
    assert {name for name in depth if depth[name] != normals[name]} == {"merge"}
    assert depth.keys() == normals.keys()
    assert result.normals.frame == "opencv"


def test_a_list_keeps_its_order_and_batch_mates_do_not_matter(joint):
    how = joint.inference(resolution=0)
    photos = [_photo(20, 30), _photo(31, 17, 1), _photo(20, 29, 2)]  # 1st, 3rd: of one padded size
    together = joint.predict([as_tensor(each) for each in photos], how, at_once=2)
    others = [photos[0], _photo(40, 40, 3), _photo(20, 30, 4)]
    again = joint.predict([as_tensor(each) for each in others], how, at_once=2)
    assert _same(together[0], again[0])
    assert not _same(together[2], again[2])
    for photo, result in zip(photos, together, strict=True):
        assert result.depth.values.shape == photo.shape[:2]
        for ours, alone in zip(_values(result), _values(joint(photo, resolution=0)), strict=True):
            np.testing.assert_allclose(ours, alone, atol=2e-5)


@pytest.mark.parametrize("words", [False, True])
def test_one_picture_is_what_the_network_itself_says(words):
    joint, picture = _predictor(words=words), as_tensor(_photo(32, 32))
    (ours,) = joint.predict([picture], joint.inference(resolution=0, domain="object"))
    with torch.inference_mode():
        decoded = joint.network(2 * picture[None] - 1, torch.tensor([DOMAINS.index("object")]))
    depth = (decoded[0].mean(dim=0).clamp(-1, 1) + 1) / 2
    torch.testing.assert_close(ours.depth.tensor, depth, atol=1e-5, rtol=0)
    normals = torch.nn.functional.normalize(decoded[1], dim=0)
    torch.testing.assert_close(ours.normals.tensor, normals, atol=1e-4, rtol=0)


def test_the_encoder_looks_at_the_picture_without_its_padding(joint, monkeypatch):
    seen = []
    context = joint.network.context
    monkeypatch.setattr(
        joint.network,
        "context",
        lambda squares, domain: seen.append(squares) or context(squares, domain),
    )
    picture = as_tensor(_photo(21, 43))
    joint.predict([picture], joint.inference(resolution=0))
    torch.testing.assert_close(seen[0], squash(picture[None], joint.network.side))


def test_where_it_was_taken_decides(joint):
    photo = _photo(24, 24)
    results = [joint(photo, domain=domain) for domain in DOMAINS]
    assert _same(joint(photo), results[0])
    assert not _same(results[0], results[1])
    assert not _same(results[1], results[2])
    assert [each.depth.provenance["domain"] for each in results] == list(DOMAINS)
    with pytest.raises(SettingError, match="domain 'sea': choose indoor, outdoor, object"):
        joint(photo, domain="sea")


@pytest.mark.filterwarnings("ignore::monostep.errors.MonostepWarning")
@pytest.mark.parametrize(
    "asked", [{"noise": "gaussian"}, {"noise": "pyramid-geowizard", "steps": 3}]
)
def test_the_same_noise_is_where_every_picture_and_map_begins(joint, monkeypatch, asked):
    begun = []
    said = joint.network.output

    def output(latent, noisy, time, **told):
        begun.append((time, noisy.clone()))
        return said(latent, noisy, time, **told)

    monkeypatch.setattr(joint.network, "output", output)
    how = joint.inference(resolution=0, seed=3, **asked)
    first, _ = joint.predict(
        [as_tensor(_photo(16, 24)), as_tensor(_photo(16, 24, 1))], how, at_once=2
    )
    time, start = begun[0]
    generator = torch.Generator().manual_seed(3)
    drawn = noise.draw(how.noise, size=(4, 4, 6), members=1, generator=generator, level=time / 1000)
    assert torch.equal(start, drawn.expand(4, -1, -1, -1))
    assert len(begun) == how.steps
    assert first.depth.provenance["noise"] == how.noise


@pytest.mark.filterwarnings("ignore::monostep.errors.MonostepWarning")
def test_an_ensemble_merges_each_map_in_its_own_way(joint):
    ask = partial(joint, _photo(16, 24), noise="gaussian", resolution=0, seed=1)
    alone, several = ask(), ask(ensemble=3, merge="mean")
    assert alone.depth.uncertainty is None
    for each in (several.depth, several.normals):
        assert each.uncertainty.shape == (16, 24)
        assert float(each.uncertainty.max()) > 0
    depth = several.depth.values
    assert (depth.min(), depth.max()) == pytest.approx((0, 1), abs=1e-6)
    other = ask(ensemble=3, merge="joint,closest-map")
    assert not np.array_equal(other.normals.values, several.normals.values)
    assert other.depth.provenance["merge"] == "joint"
    assert other.normals.provenance["merge"] == "closest-map"


def test_a_trajectory_ends_in_the_prediction(joint):
    picture = as_tensor(_photo(24, 40))
    how = joint.inference(steps=3, resolution=0, domain="outdoor")
    steps = joint.trajectory(picture, how)
    assert [time for time, _ in steps] == [999, 666, 332]
    (alone,) = joint.predict([picture], how)
    for ours, expected in zip(_values(steps[-1][1]), _values(alone), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_reference_fit_fills_the_range_and_the_grid(joint):
    result = joint(_photo(57, 43), fit="reference", resolution=40)
    depth, normals = _values(result)
    assert (depth.min(), depth.max()) == pytest.approx((0, 1), abs=0.1)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=2), np.ones((57, 43)), atol=1e-5)
    assert result.depth.provenance["merge"] == "joint"


def test_what_makes_results_worse_is_said_once(joint):
    with pytest.warns(MonostepWarning, match="tiny-geometry was fine-tuned for 1") as said:
        joint(_photo(8, 8), noise="gaussian")
    assert len(said) == 1
