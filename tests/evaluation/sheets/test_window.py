import pytest
import sheet_case
import torch

from monostep.evaluation.sheets import window as sheet_window
from monostep.evaluation.sheets.window import Window, where_they_differ

SPOT = (slice(30, 40), slice(50, 62))


def _holds_spot(window):
    rows, columns = SPOT
    return (
        window.top <= rows.start
        and rows.stop <= window.top + window.height
        and window.left <= columns.start
        and columns.stop <= window.left + window.width
    )


def _changed(values):
    changed = values.clone()
    changed[..., *SPOT] = 1.3 * values[..., *SPOT].roll(1, dims=0)
    return changed


@pytest.mark.parametrize("truth", [sheet_case.depth_m(), sheet_case.normals()])
def test_the_window_is_where_contenders_differ(truth):
    elsewhere = truth.clone()
    elsewhere[..., :10, :10] = elsewhere[..., :10, :10].flip(-1) * 2  # in both: no difference
    row = sheet_case.row(truth, ("a", elsewhere, 0.1), ("b", _changed(elsewhere), 0.2))
    window = where_they_differ(row)
    assert (window.height, window.width) == (15, 20)
    assert _holds_spot(window)


@pytest.mark.parametrize("truth", [sheet_case.depth_m(), sheet_case.normals()])
def test_one_contender_is_compared_with_the_truth(truth):
    only = sheet_case.row(truth, ("a", _changed(truth), 0.1), ("b", None, None))
    assert _holds_spot(where_they_differ(only))


def test_what_is_not_judged_does_not_attract_the_window():
    truth = sheet_case.depth_m()
    valid = torch.ones(sheet_case.SIZE, dtype=torch.bool)
    valid[:20, :20] = False
    other = _changed(truth)
    other[:20, :20] = 1e9
    window = where_they_differ(sheet_case.row(truth, ("a", other, 0.1), valid=valid))
    assert _holds_spot(window)


def test_one_distant_pixel_does_not_decide():
    truth = sheet_case.depth_m()
    other = _changed(truth)
    other[2, 2] = 1e9
    assert _holds_spot(where_they_differ(sheet_case.row(truth, ("a", other, 0.1))))


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 700), (1030, 777), (513, 4)])
def test_the_window_lies_inside_images_of_any_size(size):
    truth = 1 + torch.rand(size, generator=torch.Generator().manual_seed(0))
    row = sheet_case.row(truth, ("a", truth.flip(0, 1), 0.1))
    window = where_they_differ(row)
    assert min(window.top, window.left) >= 0
    assert window.top + window.height <= size[0]
    assert window.left + window.width <= size[1]
    assert min(window.height, window.width) >= 1


def test_large_images_are_looked_at_in_steps(monkeypatch):
    monkeypatch.setattr(sheet_window, "_LOOKED_PX", 20)
    truth = sheet_case.depth_m()
    assert _holds_spot(where_they_differ(sheet_case.row(truth, ("a", _changed(truth), 0.1))))


def test_a_row_is_cut_with_all_that_belongs_to_it():
    truth = sheet_case.normals()
    row = sheet_case.row(truth, ("a", truth * 2, 0.1), ("b", None, None))
    window = Window(top=3, left=5, height=7, width=11)
    cut = window.cut_row(row)
    assert torch.equal(cut.truth, truth[:, 3:10, 5:16])
    assert torch.equal(cut.maps[0].values, 2 * cut.truth)
    assert cut.maps[1] == row.maps[1]
    assert cut.image.shape == (3, 7, 11) and cut.valid.shape == (7, 11)
    assert (cut.title, cut.maps[0].score) == (row.title, 0.1)
