import numpy as np
import pytest
import sheet_case
import torch

from monostep.evaluation.sheets import tiles as sheet_tiles
from monostep.evaluation.sheets.tiles import CELL, GAP, TEXT, heading, strip
from monostep.evaluation.sheets.window import Window

COLUMN = CELL[0] + GAP
GREY, BLACK = (128, 128, 128), (0, 0, 0)
VIOLET = (0x5E, 0x4F, 0xA2)


def _cells(pixels):
    """The columns of a strip, without title, caption and gap."""
    count = pixels.shape[1] // COLUMN
    return [pixels[TEXT:-TEXT, k * COLUMN :][:, : CELL[0]] for k in range(count)]


def _has_ink(pixels):
    return bool((pixels.min(axis=-1) < 100).any())


@pytest.mark.parametrize("truth", [sheet_case.depth_m(), sheet_case.normals()])
def test_columns_are_image_truth_and_each_map_with_its_error(truth):
    row = sheet_case.row(truth, ("a", truth, 0.0), ("b", truth * 2, 0.5))
    pixels = strip(row, "abs_rel", cropped=False)
    assert pixels.shape == (TEXT + CELL[0] * 60 // 80 + TEXT, 6 * COLUMN, 3)
    image, shown, same, none, double, error = _cells(pixels)
    assert (image == GREY).all()
    np.testing.assert_array_equal(shown, same)
    assert (none == VIOLET).all()
    if truth.ndim == 2:
        assert (shown != double).any() and (error != VIOLET).any()
    else:  # length is no error
        assert (error == VIOLET).all()


def test_all_contenders_have_the_truths_range_of_colours():
    truth = sheet_case.depth_m()
    near, far = truth.clamp(max=4), truth.clamp(min=6)
    cells = _cells(
        strip(sheet_case.row(truth, ("a", near, 0.1), ("b", far, 0.2)), "abs_rel", cropped=False)
    )
    for cell, where in ((cells[2], truth < 4), (cells[4], truth > 6)):
        large = where.repeat_interleave(4, 0).repeat_interleave(4, 1).numpy()
        np.testing.assert_array_equal(cell[large], cells[1][large])


def test_names_stand_above_and_scores_below():
    truth = sheet_case.depth_m()
    row = sheet_case.row(truth, ("a", truth, 0.125), ("b", truth, None), title="worst: x")
    pixels = strip(row, "abs_rel", cropped=False)
    assert _has_ink(pixels[:TEXT, :COLUMN])
    below = [_has_ink(pixels[-TEXT:, k * COLUMN :][:, :COLUMN]) for k in range(6)]
    assert below == [False, False, True, False, False, False]
    above = heading(row, cropped=False)
    assert above.shape == (TEXT, 6 * COLUMN, 3)
    assert all(_has_ink(above[:, k * COLUMN :][:, :COLUMN]) for k in range(6))


def test_other_scores_and_titles_are_other_pixels():
    truth = sheet_case.depth_m()
    strips = [
        strip(sheet_case.row(truth, ("a", truth, score), title=title), "abs_rel", cropped=False)
        for score, title in ((0.1, "x"), (0.2, "x"), (0.2, "y"))
    ]
    assert (strips[0][-TEXT:] != strips[1][-TEXT:]).any()
    np.testing.assert_array_equal(strips[0][:TEXT], strips[1][:TEXT])
    assert (strips[1][:TEXT] != strips[2][:TEXT]).any()


def test_a_contender_without_prediction_is_black_and_says_so():
    truth = sheet_case.depth_m()
    pixels = strip(
        sheet_case.row(truth, ("a", None, None), ("b", truth, 0.1)), "abs_rel", cropped=False
    )
    cells = _cells(pixels)
    assert (cells[2] == BLACK).all() and (cells[3] == BLACK).all()
    assert _has_ink(pixels[-TEXT:, 2 * COLUMN : 3 * COLUMN])
    assert cells[4].any()


def test_holes_of_the_truth_are_black_in_truth_and_errors_only():
    truth = sheet_case.depth_m()
    valid = torch.ones(sheet_case.SIZE, dtype=torch.bool)
    valid[:30] = False
    cells = _cells(
        strip(sheet_case.row(truth, ("a", truth, 0.1), valid=valid), "abs_rel", cropped=False)
    )
    for place, hole in enumerate((False, True, False, True)):
        assert (cells[place][:120] == BLACK).all() == hole
        assert not (cells[place][120:] == BLACK).all(axis=-1).any()


@pytest.mark.parametrize("size", [(1, 1), (352, 1216), (900, 300), (1, 640), (640, 1)])
def test_images_of_any_shape_fit_their_cells(size):
    truth = 1 + torch.rand(size, generator=torch.Generator().manual_seed(0))
    pixels = strip(sheet_case.row(truth, ("a", truth, 0.1)), "abs_rel", cropped=False)
    scale = min(CELL[1] / size[0], CELL[0] / size[1])
    assert pixels.shape == (max(1, round(size[0] * scale)) + 2 * TEXT, 4 * COLUMN, 3)


def test_a_cropped_row_shows_the_frame_and_what_is_inside_of_it(monkeypatch):
    truth = sheet_case.depth_m()
    row = sheet_case.row(truth, ("a", truth, 0.1))
    window = Window(top=20, left=40, height=15, width=20)
    monkeypatch.setattr(sheet_tiles, "where_they_differ", lambda _: window)
    whole, image, inside, *_ = _cells(strip(row, "abs_rel", cropped=True))
    red = (whole == (255, 40, 40)).all(axis=-1)
    rows, columns = red.nonzero()
    assert (rows.min(), rows.max()) == (80, 139)  # 4 pixels of the sheet for each of the image
    assert (columns.min(), columns.max()) == (160, 239)
    assert (whole[~red] == GREY).all() and (image == GREY).all()
    alone = _cells(strip(window.cut_row(row), "abs_rel", cropped=False))
    np.testing.assert_array_equal(inside, alone[1])
    assert heading(row, cropped=True).shape[1] == 5 * COLUMN


def test_letters_that_the_font_lacks_are_replaced():
    truth = sheet_case.depth_m()
    row = sheet_case.row(truth, ("模型", truth, 0.1), title="worst: 图像/räume.png" * 40)
    assert _has_ink(heading(row, cropped=False)[:, 2 * COLUMN : 3 * COLUMN])
    assert _has_ink(strip(row, "abs_rel", cropped=False)[:TEXT])
