"""Decoded members to results: the two fits, on maps whose results are known."""

from dataclasses import replace

import pytest
import torch

from monostep import inference
from monostep.checkpoints.card import Card
from monostep.geometry.geometry import Geometry
from monostep.images import fit, reference, reference_geowizard
from monostep.results import fits, map_of, provenance, result

DEPTH = Card(name="d", task="depth", quantity="depth", invariance="affine")
NORMALS = Card(name="n", task="normals", frame="opengl")
JOINT = Card(
    name="j",
    task="geometry",
    quantity="depth",
    invariance="affine",
    frame="opengl",
    domain="indoor",
    attention="joint",
)


def _result(decoded, card, size, **asked):
    how = inference.resolve(card, resolution=0, **asked)
    place = fits(card, how).place(size, resolution=0, multiple=8)
    maps = decoded if card.task == "geometry" else decoded[None]
    return result(maps, place, card, how, {"model": card.name})


def _ramp(height, width):
    """Depth that grows from left to right, as three equal channels in [-0.5, 0.5]."""
    return torch.linspace(-0.5, 0.5, width).expand(1, 3, height, width).contiguous()


def test_padding_is_cut_away_and_values_keep_their_range():
    depth = _result(_ramp(16, 24), DEPTH, (13, 21)).tensor
    torch.testing.assert_close(depth, (_ramp(16, 24)[0, 0, :13, :21] + 1) / 2)


def test_the_reference_stretches_and_fills_the_range():
    depth = _result(_ramp(8, 16), DEPTH, (13, 21), fit="reference").tensor
    assert depth.shape == (13, 21)
    assert float(depth.min()) == pytest.approx(0, abs=1e-6)
    assert float(depth.max()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("way", ["pad", "reference"])
def test_a_constant_map_gives_finite_results(way, members):
    flat = torch.zeros(members, 3, 16, 16)
    for card in (DEPTH, NORMALS):
        values = _result(flat, card, (16, 16), fit=way).tensor
        assert torch.isfinite(values).all()


@pytest.mark.parametrize("way", ["pad", "reference"])
def test_normals_change_from_the_networks_frame_to_opencv(way):
    up_right = torch.tensor([0.6, 0.0, 0.8])[None, :, None, None].expand(1, 3, 8, 8)
    normals = _result(up_right, NORMALS, (8, 8), fit=way)
    assert normals.frame == "opencv"
    expected = torch.tensor([0.6, 0.0, -0.8])[:, None, None].expand(3, 8, 8)
    torch.testing.assert_close(normals.tensor, expected, rtol=0, atol=1e-6)


def test_marigolds_normals_are_clipped_before_their_length_and_e2e_fts_are_not():
    decoded = torch.tensor([3.0, 0.0, 1.0])[None, :, None, None].expand(1, 3, 8, 8)
    plain = _result(decoded, NORMALS, (8, 8)).tensor[:, 0, 0]
    marigold = Card(name="m", task="normals", frame="opengl", family="diffusion")
    clipped = _result(decoded, marigold, (8, 8)).tensor[:, 0, 0]
    torch.testing.assert_close(plain, torch.tensor([3.0, 0.0, -1.0]) / 10**0.5)
    torch.testing.assert_close(clipped, torch.tensor([1.0, 0.0, -1.0]) / 2**0.5)


def test_an_ensemble_brings_its_uncertainty_on_the_same_grid():
    noise = torch.randn(3, 1, 16, 24, generator=torch.Generator().manual_seed(0))
    members = _ramp(16, 24) + 0.1 * noise
    depth = _result(members, DEPTH, (13, 21))
    assert depth.uncertainty.shape == depth.tensor.shape == (13, 21)
    assert float(depth.uncertainty.max()) > 0


@pytest.mark.parametrize("members", [1, 3])
def test_each_map_of_both_is_what_it_is_alone(members):
    generator = torch.Generator().manual_seed(0)
    decoded = 0.4 * torch.randn(2, members, 3, 16, 24, generator=generator)
    both = _result(decoded, JOINT, (13, 21))
    assert isinstance(both, Geometry)
    alone = _result(decoded[0], DEPTH, (13, 21)), _result(decoded[1], NORMALS, (13, 21))
    for ours, one in zip((both.depth, both.normals), alone, strict=True):
        assert torch.equal(ours.tensor, one.tensor)
        assert (ours.uncertainty is None) == (members == 1)
        if members > 1:
            assert torch.equal(ours.uncertainty, one.uncertainty)
        assert {**one.provenance, "model": "j"} == ours.provenance
    assert map_of(both, "depth") is both.depth
    assert map_of(both, "normals") is both.normals
    assert map_of(alone[0], "depth") is alone[0]


def test_the_reference_fit_of_a_joint_model_is_geowizards():
    generator = torch.Generator().manual_seed(0)
    decoded = torch.randn(2, 1, 3, 8, 16, generator=generator)
    both = _result(decoded, JOINT, (13, 21), fit="reference")
    depth = _result(decoded[0], DEPTH, (13, 21), fit="reference")
    assert float((both.depth.tensor - depth.tensor).abs().max()) > 0.01  # bicubic, not bilinear
    assert float(both.depth.tensor.min()) == pytest.approx(0, abs=0.1)
    assert float(both.depth.tensor.max()) == pytest.approx(1, abs=0.1)
    known = (
        torch.nn.functional.normalize(decoded[1, 0], dim=0)
        * torch.tensor([1, -1, -1])[:, None, None]
    )
    taken = both.normals.tensor.flatten(1).T
    nearest = torch.cdist(taken, known.flatten(1).T).min(dim=1).values
    assert float(nearest.max()) < 1e-3  # every one is one of the network's


def test_the_fit_goes_with_the_family():
    for card, expected in ((DEPTH, reference), (NORMALS, reference), (JOINT, reference_geowizard)):
        assert fits(card, inference.resolve(card, fit="reference")) is expected
        assert fits(card, inference.resolve(card)) is fit


def test_geowizards_normals_are_not_clipped():
    decoded = torch.tensor([3.0, 0.0, 1.0])[:, None, None].expand(2, 1, 3, 8, 8)
    card = replace(JOINT, family="diffusion")
    vector = _result(decoded, card, (8, 8)).normals.tensor[:, 0, 0]
    torch.testing.assert_close(vector, torch.tensor([3.0, 0.0, -1.0]) / 10**0.5)


def test_only_a_joint_models_results_say_domain_and_attention_and_no_empty_prompt():
    def said(card):
        how = inference.resolve(card)
        return provenance(card, how, dtype=torch.float32, prompt_tokens=2)

    assert {"domain", "attention"} & said(DEPTH).keys() == set()
    assert said(JOINT).keys() - said(DEPTH).keys() == {"domain", "attention"}
    assert said(DEPTH).keys() - said(JOINT).keys() == {"prompt_tokens"}
    assert (said(JOINT)["domain"], said(JOINT)["attention"]) == ("indoor", "joint")
