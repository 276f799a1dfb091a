import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from monostep.geometry import nearest

SIZES = st.integers(1, 2500)


def pillow(source, target):
    numbers = Image.fromarray(np.arange(source, dtype=np.int32)[None])
    return np.asarray(numbers.resize((target, 1), Image.Resampling.NEAREST))[0]


@given(SIZES, SIZES)
def test_indices_are_pillows(source, target):
    assert np.array_equal(nearest.indices(source, target).numpy(), pillow(source, target))


@given(SIZES)
def test_the_same_size_is_every_pixel(size):
    assert torch.equal(nearest.indices(size, size), torch.arange(size))


def test_the_published_sizes_differ_from_the_exact_rule_in_28_rows():
    for source, target in ((768, 480), (1024, 640)):
        taken = nearest.indices(source, target)
        exact = ((2 * torch.arange(target) + 1) * source).div(2 * target, rounding_mode="floor")
        different = (taken != exact).nonzero().flatten().tolist()
        assert (len(different), different[:4]) == (28, [7, 52, 57, 62][:4])
    assert nearest.indices(768, 480)[:6].tolist() == [0, 2, 4, 5, 7, 8]


@pytest.mark.parametrize("size", [(3, 4), (5, 7), (13, 22), (7, 3)])
def test_a_map_is_resized_as_pillow_does_it(size):
    values = np.random.default_rng(0).random((11, 17), dtype=np.float32)
    expected = np.asarray(Image.fromarray(values).resize(size[::-1], Image.Resampling.NEAREST))
    assert np.array_equal(nearest.resize(torch.from_numpy(values), size).numpy(), expected)


@given(SIZES, st.sampled_from([3, 5, 7]))
def test_mirroring_commutes_where_no_pixel_lies_between_two(target, factor):
    taken = nearest.indices(factor * target, target)
    assert torch.equal(factor * target - 1 - taken, taken.flip(0))


def test_any_type_and_leading_axes_are_kept():
    mask = torch.tensor([[True, False], [False, False]]).expand(2, 3, 2, 2)
    resized = nearest.resize(mask, (4, 4))
    assert resized.shape == (2, 3, 4, 4)
    assert resized.dtype == torch.bool
    assert resized[1, 2].sum() == 4
