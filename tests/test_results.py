"""Decoded members to results: the two fits, on maps whose results are known."""

import pytest
import torch

from monostep import inference
from monostep.checkpoints.card import Card
from monostep.images import fit, reference
from monostep.results import result

DEPTH = Card(name="d", task="depth", quantity="depth", invariance="affine")
NORMALS = Card(name="n", task="normals", frame="opengl")


def _result(decoded, card, size, **asked):
    how = inference.resolve(card, resolution=0, **asked)
    way = {"pad": fit, "reference": reference}[how.fit]
    place = way.place(size, resolution=0, multiple=8)
    return result(decoded, place, card, how, {"model": card.name})


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
