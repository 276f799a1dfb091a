import numpy as np
import pytest
import sheet_case
import torch

from monostep.evaluation.sheets import colours as sheet_colours
from monostep.files.preview import depth_preview, normals_preview

RED, VIOLET = (0x9E, 0x01, 0x42), (0x5E, 0x4F, 0xA2)


def _map(values, valid=None, step=1, range_m=(1.0, 9.0)):
    return sheet_colours.map_pixels(values, valid, step, range_m)


def test_the_colours_are_those_of_previews():
    ramp = torch.linspace(0, 1, 256).expand(2, 256)
    some = torch.ones(2, 256, dtype=torch.bool)
    expected = depth_preview(np.linspace(0, 1, 256)[None].repeat(2, axis=0))
    np.testing.assert_array_equal(sheet_colours._spectral(ramp, some), expected)
    assert len(np.unique(expected[0], axis=0)) > 240


def test_near_is_red_far_is_violet_and_beyond_the_range_nothing_changes():
    picture = _map(torch.tensor([[1.0, 9.0, 0.2, 50.0, 3.0]]))
    assert [tuple(each) for each in picture[0, :4].tolist()] == [RED, VIOLET, RED, VIOLET]
    middle = depth_preview(np.linspace(0, 1, 255)[None])[0, 127]  # 3 is the mean of 1 and 9
    np.testing.assert_allclose(picture[0, 4].astype(int), middle.astype(int), atol=2)


def test_the_range_is_the_truths_without_its_outliers():
    truth = sheet_case.depth_m((100, 100))
    truth[0, 0], truth[0, 1] = 1e-3, 1e4
    valid = torch.ones(100, 100, dtype=torch.bool)
    valid[:, 90:] = False
    near_m, far_m = sheet_colours.depth_range(truth, valid)
    assert (near_m, far_m) == pytest.approx((1, 1 + 8 * 89 / 99), rel=0.05)
    assert sheet_colours.depth_range(truth, ~valid & valid) == (1, 1)


def test_a_constant_truth_has_a_colour():
    flat = torch.full((4, 5), 2.0)
    valid = torch.ones(4, 5, dtype=torch.bool)
    assert (_map(flat, valid, range_m=sheet_colours.depth_range(flat, valid)) == RED).all()


@pytest.mark.parametrize("values", [sheet_case.depth_m(), sheet_case.normals()])
def test_holes_are_black_and_nothing_else(values):
    valid = torch.rand(sheet_case.SIZE, generator=torch.Generator().manual_seed(0)) > 0.3
    holed = values.masked_fill(~valid, torch.nan)
    for known in (valid, None):
        black = (_map(holed, known) == 0).all(axis=-1)
        np.testing.assert_array_equal(black, ~valid.numpy())


def test_normals_have_their_usual_colours_whatever_their_length():
    normals = sheet_case.normals()
    expected = normals_preview(normals.permute(1, 2, 0).numpy())
    assert np.abs(_map(3 * normals).astype(int) - expected).max() <= 1


def test_a_block_has_the_mean_of_what_is_valid_in_it():
    depth_m = torch.tensor([[2.0, 4.0, 9.0, 9.0], [9.0, 9.0, 9.0, 9.0]])
    valid = torch.tensor([[True, True, False, False], [False, False, False, False]])
    picture = _map(depth_m, valid, step=2)
    np.testing.assert_array_equal(picture[0, 0], _map(torch.tensor([[3.0]]))[0, 0])
    assert picture[0, 1].tolist() == [0, 0, 0]


def test_a_photo_is_averaged_in_blocks():
    image = torch.tensor([0.0, 1.0]).repeat(4, 3).expand(3, 4, 6)
    assert (sheet_colours.photo_pixels(image, 2) == 128).all()
    assert sheet_colours.photo_pixels(image, 1)[0, :2, 0].tolist() == [0, 255]


def test_no_error_is_violet_and_the_largest_is_red():
    truth = torch.full((2, 3), 4.0)
    valid = torch.ones(2, 3, dtype=torch.bool)
    valid[1, 2] = False
    values = truth.clone()
    values[0, 1], values[0, 2] = 5.0, 40.0  # 25 % and more
    picture = sheet_colours.error_pixels(values, truth, valid, 1)
    assert picture[0].tolist() == [list(VIOLET), list(RED), list(RED)]
    assert picture[1, 2].tolist() == [0, 0, 0]


def test_errors_of_normals_are_angles():
    truth = torch.zeros(3, 1, 3)
    truth[2] = -1
    values = truth.clone()
    values[:, 0, 1] = torch.tensor([1.0, 0.0, -1.0])  # 45 degrees
    values[:, 0, 2] = torch.tensor([0.0, 0.0, 5.0])
    picture = sheet_colours.error_pixels(values, truth, torch.ones(1, 3, dtype=torch.bool), 1)
    assert picture[0].tolist() == [list(VIOLET), list(RED), list(RED)]
