import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monostep.images import fit

SIZES = [(1, 1), (1, 9), (9, 1), (2, 3), (30, 30), (37, 53), (64, 48), (480, 641), (4000, 30)]
WAYS = [(0, 4), (64, 8), (96, 64), (256, 1)]  # resolution, multiple


def _seen(image, place):
    """What the network sees, brought back to [0, 1]."""
    return (fit.fit(image, place) + 1) / 2


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("resolution", "multiple"), WAYS)
def test_every_size_comes_back_as_it_was(size, resolution, multiple):
    place = fit.place(size, resolution=resolution, multiple=multiple)
    seen = _seen(torch.rand(3, *size), place)
    assert tuple(seen.shape[1:]) == place.padded
    back = fit.restore(seen, place)
    assert tuple(back.shape) == (3, *size)


SIDE = st.one_of(st.integers(1, 64), st.integers(1, 4000))


@settings(max_examples=60, deadline=None)
@given(SIDE, SIDE, st.sampled_from([0, 1, 48, 97, 256]), st.sampled_from([1, 8]))
@example(4000, 30, 768, 8)
@example(30, 4000, 0, 8)
def test_any_size_comes_back_as_it_was(height, width, resolution, multiple):
    height = min(height, max(30, 60_000 // width))  # few pixels, every aspect ratio
    place = fit.place((height, width), resolution=resolution, multiple=multiple)
    seen = _seen(torch.zeros(1, height, width), place)
    assert tuple(seen.shape[1:]) == place.padded
    assert tuple(fit.restore(seen, place).shape) == (1, height, width)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("multiple", [1, 8])
def test_native_resolution_changes_no_bit(size, multiple):
    image = torch.rand(3, *size)
    place = fit.place(size, resolution=0, multiple=multiple)
    output = _seen(image, place)
    restored = fit.restore(output, place)
    torch.testing.assert_close(restored, image, rtol=0, atol=1e-6)  # there and back in range
    assert torch.equal(restored, output[:, : size[0], : size[1]])


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 2000))
def test_the_short_side_is_rounded_down_as_diffusers_does(height, width, resolution):
    place = fit.place((height, width), resolution=resolution, multiple=8)
    longest = max(height, width)
    assert max(place.resized) == resolution
    for side, resized in zip((height, width), place.resized, strict=True):
        exact = side * resolution / longest
        assert resized == 1 if exact < 1 else exact - 1 < resized <= exact


def test_sizes_by_hand():
    sizes = {(968, 1296): (478, 640), (375, 1242): (231, 768), (4000, 30): (768, 5)}
    for original, resized in sizes.items():
        place = fit.place(original, resolution=max(resized), multiple=8)
        assert place.resized == resized


def test_crop_takes_the_padding_away_once_and_for_all():
    place = fit.place((5, 6), resolution=0, multiple=8)
    image = torch.rand(2, 3, 5, 6)
    seen = torch.stack([_seen(one, place) for one in image])
    cropped = fit.crop(seen, place)
    assert torch.equal(cropped, image)
    assert torch.equal(fit.crop(cropped, place), image)
    assert torch.equal(fit.restore(cropped[0], place), fit.restore(seen[0], place))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("resolution", "multiple"), WAYS)
def test_sides_are_multiples_and_the_long_one_has_the_resolution(size, resolution, multiple):
    place = fit.place(size, resolution=resolution, multiple=multiple)
    for resized, padded in zip(place.resized, place.padded, strict=True):
        assert padded % multiple == 0
        assert 0 <= padded - resized < multiple
        assert resized >= 1
    assert max(place.resized) == (resolution or max(size))
    if resolution == 0:
        assert place.resized == size


def test_padding_lies_below_and_to_the_right_and_repeats_the_edge():
    place = fit.place((5, 6), resolution=0, multiple=8)
    image = torch.rand(3, 5, 6)
    seen = _seen(image, place)
    assert place.padded == (8, 8)
    torch.testing.assert_close(seen[:, :5, :6], image, rtol=0, atol=1e-6)
    torch.testing.assert_close(seen[:, 5:, :6], image[:, 4:].expand(3, 3, 6), rtol=0, atol=1e-6)
    torch.testing.assert_close(seen[:, :5, 6:], image[:, :, 5:].expand(3, 5, 2), rtol=0, atol=1e-6)


def test_an_image_of_fitting_size_is_not_touched():
    image = torch.rand(3, 16, 24)
    place = fit.place((16, 24), resolution=24, multiple=8)
    assert torch.equal(fit.fit(image, place), 2 * image - 1)
    assert torch.equal(fit.restore(image, place), image)


@pytest.mark.parametrize("size", [(60, 80), (61, 83), (200, 133)])
@pytest.mark.parametrize("resolution", [40, 97, 160, 301])
def test_a_ramp_comes_back_without_any_shift(size, resolution):
    height, width = size
    columns = (torch.arange(width) + 0.5).expand(height, width)
    rows = (torch.arange(height) + 0.5)[:, None].expand(height, width)
    ramps = torch.stack([columns, rows])
    place = fit.place(size, resolution=resolution, multiple=8)
    back = fit.restore(_seen(ramps, place), place)
    border = 2 + round(2 * max(size) / resolution)  # where the filter meets the image's edge
    moved = (back - ramps)[:, border:-border, border:-border]
    # The sampled filter ripples around the ramp; a shift would not average out.
    assert moved.abs().max() < 0.1
    assert moved.mean(dim=(1, 2)).abs().max() < 0.005


@pytest.mark.parametrize("size", [(37, 53), (1, 9), (130, 90)])
@pytest.mark.parametrize("resolution", [0, 32, 200])
def test_a_constant_image_stays_constant(size, resolution):
    place = fit.place(size, resolution=resolution, multiple=8)
    seen = _seen(torch.full((3, *size), 0.25), place)
    torch.testing.assert_close(seen, torch.full_like(seen, 0.25))
    back = fit.restore(seen, place)
    torch.testing.assert_close(back, torch.full_like(back, 0.25))


@pytest.mark.parametrize(("size", "resolution"), [((64, 96), 48), ((40, 56), 112), ((9, 33), 66)])
@pytest.mark.parametrize("axis", [1, 2])
def test_mirrored_in_is_mirrored_out_when_nothing_is_padded(size, resolution, axis):
    image = torch.rand(3, *size)
    place = fit.place(size, resolution=resolution, multiple=1)
    assert place.padded == place.resized
    mirrored = _seen(image.flip(axis), place)
    torch.testing.assert_close(mirrored, _seen(image, place).flip(axis), rtol=0, atol=1e-6)
    restored = fit.restore(mirrored, place)
    other = fit.restore(mirrored.flip(axis), place).flip(axis)
    torch.testing.assert_close(restored, other, rtol=0, atol=1e-6)


def test_what_was_padded_never_comes_back():
    place = fit.place((5, 6), resolution=0, multiple=8)
    output = torch.zeros(1, 8, 8)
    output[:, 5:] = output[:, :, 6:] = float("nan")
    assert torch.isfinite(fit.restore(output, place)).all()
    larger = fit.place((50, 61), resolution=30, multiple=8)
    output = torch.zeros(1, *larger.padded)
    output[:, larger.resized[0] :] = output[:, :, larger.resized[1] :] = float("nan")
    assert torch.isfinite(fit.restore(output, larger)).all()


def test_values_stay_within_those_of_the_image():
    image = (torch.rand(3, 70, 90) > 0.5).float()
    for resolution in (33, 200):
        place = fit.place((70, 90), resolution=resolution, multiple=8)
        back = fit.restore(_seen(image, place), place)
        assert back.min() >= -1e-6
        assert back.max() <= 1 + 1e-6


@pytest.mark.parametrize(("size", "resolution"), [((61, 83), 40), ((37, 29), 96), ((16, 24), 0)])
def test_the_network_sees_what_diffusers_shows_it(size, resolution):
    processor = pytest.importorskip("diffusers.pipelines.marigold.marigold_image_processing")
    image = torch.rand(3, *size)
    shown = processor.MarigoldImageProcessor(vae_scale_factor=8)
    expected, padding, original = shown.preprocess(image[None], processing_resolution=resolution)
    place = fit.place(size, resolution=resolution, multiple=8)
    seen = fit.fit(image, place)
    assert torch.equal(seen, expected[0])
    assert original == size
    below, right = (a - b for a, b in zip(place.padded, place.resized, strict=True))
    assert tuple(padding) == (below, right)


def test_resizing_to_a_single_column_is_resizing_a_single_row():
    values = torch.rand(3, 60, 40)
    column = fit.resize(values, (20, 1))
    torch.testing.assert_close(column, fit.resize(values.mT, (1, 20)).mT)
    rows = fit.resize(values, (20, 40))  # one axis after the other, as it is defined
    torch.testing.assert_close(column, fit.resize(rows, (20, 1)), rtol=1e-5, atol=1e-5)
