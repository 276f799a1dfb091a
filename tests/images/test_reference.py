import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monostep.images import fit as pad
from monostep.images import reference
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig

SIDE = st.integers(1, 300)


def _place(original, resolution, multiple=8):
    return reference.place(original, resolution=resolution, multiple=multiple)


def _image(*size, seed=0):
    return torch.rand(3, *size, generator=torch.Generator().manual_seed(seed))


def _seen(image, place):
    """What the network sees, brought back to [0, 1]."""
    return (reference.fit(image, place) + 1) / 2


# laws


@settings(max_examples=60, deadline=None)
@given(SIDE, SIDE, st.sampled_from([0, 40, 96, 230]), st.integers(0, 7), st.integers(0, 7))
def test_every_size_comes_back_as_it_was(height, width, resolution, lost, more):
    place = _place((height, width), resolution)
    seen = _seen(torch.rand(1, height, width), place)
    assert tuple(seen.shape[1:]) == place.resized == place.padded
    assert min(place.resized) >= 8
    output = seen[:, : max(1, seen.shape[1] - lost), : max(1, seen.shape[2] - more)]
    back = reference.restore(output, place)
    assert tuple(back.shape) == (1, height, width)


def test_a_strip_of_4000_by_30_comes_back():
    place = _place((4000, 30), 768)
    assert place.resized == (768, 8)  # 5, of which the network would leave nothing
    seen = _seen(_image(4000, 30), place)
    assert reference.restore(seen, place).shape == (3, 4000, 30)


@given(SIDE, SIDE, st.integers(8, 400))
def test_the_long_side_has_the_resolution_give_or_take_a_rounding(height, width, resolution):
    place = _place((height, width), resolution)
    assert resolution - 1 <= max(place.resized) <= resolution


def test_the_same_functions_as_the_padding_fit():
    for function in ("place", "fit", "crop", "restore"):
        assert callable(getattr(pad, function))
        assert callable(getattr(reference, function))


@pytest.mark.parametrize("resolution", [0, 40, 97, 301])
def test_the_network_sees_eight_bits(resolution):
    image = _image(60, 83)
    seen = _seen(image, _place((60, 83), resolution)).double() * 255
    torch.testing.assert_close(seen, seen.round(), rtol=0, atol=1e-4)
    assert seen.min() >= 0
    assert seen.max() <= 255


def test_eight_bits_at_their_own_size_are_not_touched():
    levels = torch.arange(256).reshape(1, 16, 16) / 255
    for resolution in (0, 16):
        seen = reference.fit(levels, _place((16, 16), resolution))
        assert torch.equal(seen, levels * 2 - 1)


def test_values_out_of_range_are_clamped_and_halves_go_to_even():
    image = torch.tensor([-0.2, 1.3, 0.5 / 255, 1.5 / 255, 2.5 / 255, 0.25]).expand(1, 8, 6)
    seen = _seen(image, _place((8, 6), 0, multiple=1))
    assert (seen[0, 0] * 255).round().tolist() == [0, 255, 0, 2, 2, 64]


def test_nothing_is_padded_and_nothing_cropped():
    output = _image(24, 40)
    place = _place((50, 90), 48)
    assert reference.crop(output, place) is output


@pytest.mark.parametrize("size", [(64, 96), (61, 83)])
@pytest.mark.parametrize("resolution", [40, 160])
def test_a_ramp_comes_back_without_any_shift_when_nothing_is_lost(size, resolution):
    height, width = size
    columns = ((torch.arange(width) + 0.5) / width).expand(height, width)
    rows = ((torch.arange(height) + 0.5) / height)[:, None].expand(height, width)
    ramps = torch.stack([columns, rows])
    place = _place(size, resolution)
    back = reference.restore(_seen(ramps, place), place)
    border = 2 + round(2 * max(size) / resolution)
    moved = (back - ramps)[:, border:-border, border:-border]
    assert moved.abs().max() < 0.005  # twice half a level, and the filter's ripple
    assert moved.mean(dim=(1, 2)).abs().max() < 0.0005


def test_lost_rows_are_stretched_over():
    output = torch.linspace(0, 1, 432)[None, :, None].expand(1, 432, 16)
    back = reference.restore(output, _place((436, 16), 0))
    rows = (torch.arange(436) + 0.5) * 432 / 436 - 0.5
    expected = (rows / 431)[4:-4, None].expand(-1, 16)
    torch.testing.assert_close(back[0, 4:-4], expected, rtol=0, atol=1e-5)


# agreement with the published numbers


@pytest.mark.parametrize(
    ("original", "resolution", "resized"),
    [
        ((4032, 6048), 756, (504, 756)),
        ((768, 1024), 640, (480, 640)),
        ((375, 1242), 768, (231, 768)),
        ((968, 1296), 640, (478, 640)),
        ((436, 1024), 768, (327, 768)),
        ((480, 640), 768, (576, 768)),  # upwards as well
        ((436, 1024), 0, (436, 1024)),
    ],
)
def test_published_sizes(original, resolution, resized):
    assert _place(original, resolution).resized == resized


@given(SIDE, SIDE, st.integers(1, 1000))
def test_sizes_are_cut_in_double_precision(height, width, resolution):
    factor = np.minimum(np.float64(resolution) / width, np.float64(resolution) / height)
    cut = (int(np.trunc(height * factor)), int(np.trunc(width * factor)))
    expected = (max(1, cut[0]), max(1, cut[1]))
    assert _place((height, width), resolution, multiple=1).resized == expected


@pytest.fixture(scope="module")
def autoencoder():
    config = AutoencoderKLConfig(channels=(2, 2, 2, 2), layers=1, groups=1)
    return AutoencoderKL(config).eval()


@pytest.mark.parametrize(
    ("image", "latent", "decoded"),
    [
        ((504, 756), (63, 94), (504, 752)),
        ((231, 768), (28, 96), (224, 768)),
        ((222, 767), (27, 95), (216, 760)),
        ((375, 500), (46, 62), (368, 496)),
    ],
)
def test_the_network_floors_to_eight_and_the_input_grid_comes_back(
    autoencoder, image, latent, decoded
):
    place = _place(image, 0)
    with torch.inference_mode():
        encoded = autoencoder.encode(reference.fit(_image(*image), place)[None])
        assert tuple(encoded.shape[2:]) == latent
        output = autoencoder.decode(torch.zeros(1, 4, 2, 2))
    assert output.shape[2:] == (16, 16)  # 8 times the latent, whatever its size
    assert tuple(8 * side for side in latent) == decoded
    back = reference.restore(torch.rand(3, *decoded), place)
    assert tuple(back.shape[1:]) == image


def _triangle(source, target):
    """Weights [target, source] of the antialiased bilinear filter, in double precision."""
    scale = source / target
    support = max(scale, 1.0)
    centre = (np.arange(target)[:, None] + 0.5) * scale
    weights = np.clip(1 - np.abs(np.arange(source)[None] + 0.5 - centre) / support, 0, None)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("size", [(60, 83), (37, 200)])
@pytest.mark.parametrize("resolution", [24, 59, 160])
def test_eight_bit_resize_is_the_rounded_float_resize(size, resolution):
    levels = (255 * _image(*size)).round()
    place = _place(size, resolution)
    height, width = place.resized
    rows, columns = _triangle(size[0], height), _triangle(size[1], width)
    exact = rows @ levels.double().numpy() @ columns.T
    seen = (255 * _seen(levels / 255, place)).round().double().numpy()
    assert np.abs(seen - exact).max() < 0.501  # the nearest, computed in float32
    assert (seen == np.rint(exact)).mean() > 0.999
