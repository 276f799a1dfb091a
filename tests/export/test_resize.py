import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from monostep.export.resize import cubic_weights, resize, squash, weights
from monostep.images import squash as own

SIZES = st.integers(1, 300)
PAIRS = [
    ((96, 128), (24, 32)),
    ((480, 640), (96, 128)),
    ((33, 47), (211, 300)),
    ((37, 500), (9, 128)),
    ((97, 131), (97, 131)),
    ((1001, 777), (128, 99)),
    ((1, 1), (5, 3)),
    ((7, 200), (200, 7)),
]


@settings(deadline=None)
@given(old=SIZES, new=SIZES)
def test_every_new_pixel_is_a_mean_of_old_ones(old, new):
    each = weights(old, new)
    assert (each >= 0).all()
    assert torch.allclose(each.sum(dim=1), torch.ones(new), atol=1e-6)


@settings(deadline=None)
@given(old=SIZES, new=SIZES)
def test_both_ends_are_alike(old, new):
    assert torch.allclose(weights(old, new).flip(0, 1), weights(old, new), atol=1e-7)


@settings(deadline=None)
@given(size=SIZES)
def test_as_many_is_the_identity(size):
    assert torch.equal(weights(size, size), torch.eye(size))


@settings(deadline=None)
@given(old=st.integers(2, 60), factor=st.integers(1, 9))
def test_a_ramp_stays_a_ramp_inside(old, factor):
    new = old * factor
    centres = (torch.arange(new) + 0.5) / factor - 0.5
    inside = (centres >= 0) & (centres <= old - 1)
    ramp = weights(old, new) @ torch.arange(old, dtype=torch.float32)
    assert torch.allclose(ramp[inside], centres[inside], atol=1e-4)


def test_positions_are_exact_where_float32_has_little_room_for_them():
    """Near 2000 the next float32 is 0.0001 away."""
    (row,) = weights(2000, 3000)[2995:2996]  # its centre is at 1997, between two pixels
    assert row[1996:1998].tolist() == [0.5, 0.5]
    (row,) = weights(2000, 3000)[2996:2997]
    assert row[1997:1999].tolist() == pytest.approx([5 / 6, 1 / 6], abs=1e-7)


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_equal_to_torchs_own(old, new):
    values = torch.rand(2, 3, *old, generator=torch.Generator().manual_seed(0))
    double = F.interpolate(values.double(), size=new, mode="bilinear", antialias=True)
    assert (resize(values, new) - double).abs().max() < 1e-5
    single = F.interpolate(values, size=new, mode="bilinear", antialias=True)
    assert (resize(values, new) - single).abs().max() < 1e-5


@pytest.mark.parametrize("old", [(480, 640), (33, 47), (28, 500), (28, 28), (1, 1), (1001, 13)])
def test_squares_are_those_of_the_predictor(old):
    pictures = torch.rand(2, 3, *old, generator=torch.Generator().manual_seed(0))
    assert (squash(pictures, 28) - own.squash(pictures.double(), 28)).abs().max() < 1e-5


@settings(deadline=None)
@given(old=SIZES, new=SIZES)
def test_a_constant_stays_one_under_the_cubic(old, new):
    each = cubic_weights(old, new)
    assert torch.allclose(each.sum(dim=1), torch.ones(new), atol=1e-5)
    assert torch.allclose(each.flip(0, 1), each, atol=1e-6)
