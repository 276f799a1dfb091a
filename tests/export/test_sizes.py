import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from monostep.export.sizes import at, of_their_own, sizes
from monostep.images import fit

SIDE = st.integers(1, 5000)


@settings(deadline=None)
@given(
    height=SIDE, width=SIDE, resolution=st.integers(0, 1000), multiple=st.sampled_from([2, 4, 8])
)
def test_the_same_as_the_fit(height, width, resolution, multiple):
    place = fit.place((height, width), resolution=resolution, multiple=multiple)
    found = sizes((height, width), resolution=resolution, multiple=multiple)
    assert found == (place.resized, place.padded)


@settings(deadline=None)
@given(numbers=st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_numbers_stay_the_same(numbers):
    assert of_their_own(*numbers) == numbers


def test_beyond_the_last_it_repeats():
    values = torch.rand(2, 3, 5, 7)
    padded = at(values, (8, 8), last=(5, 7))
    assert torch.equal(padded, F.pad(values, (0, 1, 0, 3), mode="replicate"))
    assert torch.equal(at(padded, (5, 7), last=(5, 7)), values)
