import numpy as np
import pytest
import torch
from PIL import Image

from monostep.images import reference
from monostep.images import reference_geowizard as geowizard
from monostep.images.fit import Placement

SIZES = [(37, 53), (64, 48), (9, 200)]


def _placed(original, resized):
    return Placement(original=original, resized=resized, padded=resized)


def _levels(size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_at_its_own_size_an_image_stays_as_it_is(size):
    image = torch.from_numpy(_levels(size)).permute(2, 0, 1) / 255
    shown = geowizard.fit(image, _placed(size, size))
    torch.testing.assert_close(shown, 2 * image - 1, atol=1e-6, rtol=0)
    values = torch.rand(1, *size)
    assert torch.equal(geowizard.restore(values, _placed(size, size)), values)
    vectors = torch.rand(3, *size)
    assert torch.equal(geowizard.restore(vectors, _placed(size, size)), vectors)


@pytest.mark.parametrize("size", SIZES)
def test_the_image_is_pillows_bicubic_to_the_bit(size):
    levels = _levels(size)
    place = geowizard.place(size, resolution=72, multiple=8)
    assert place == reference.place(size, resolution=72, multiple=8)
    height, width = place.resized
    expected = np.asarray(Image.fromarray(levels).resize((width, height), Image.BICUBIC))
    shown = geowizard.fit(torch.from_numpy(levels).permute(2, 0, 1) / 255, place)
    assert shown.shape == (3, height, width)
    back = ((shown + 1) * 127.5).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(back, expected, atol=1e-4)


def test_a_map_keeps_its_plane_where_nothing_is_cut_off():
    plane = torch.linspace(0, 1, 40).expand(1, 24, 40).contiguous()
    larger = geowizard.restore(plane, _placed((48, 80), (24, 40)))
    expected = (torch.arange(80) - 0.5) / 78  # pixel areas, not centres, are aligned
    torch.testing.assert_close(larger[0, 20, 8:-8], expected[8:-8], atol=1e-5, rtol=0)


def test_every_vector_is_one_of_the_networks_and_where_opencv_takes_it():
    vectors = torch.arange(5.0).expand(3, 2, 5)
    wide = geowizard.restore(vectors, _placed((2, 6), (2, 5)))
    assert wide[0, 0].tolist() == [0, 0, 1, 2, 3, 4]  # floor of 5/6 x
    narrow = geowizard.restore(vectors, _placed((1, 2), (2, 5)))
    assert narrow[0, 0].tolist() == [0, 2]
    many = geowizard.restore(torch.rand(3, 7, 11), _placed((700, 1100), (7, 11)))
    assert torch.equal(many[:, ::100, ::100], many[:, 99::100, 99::100])  # hundred of each
