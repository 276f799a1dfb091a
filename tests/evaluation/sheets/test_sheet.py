import weakref

import numpy as np
import pytest
import sheet_case
from PIL import Image

from monostep.errors import SettingError
from monostep.evaluation.scores import MODEL, Line
from monostep.evaluation.sheets import sheet as sheets


def _lines(*values):
    return [
        Line(
            image=str(place),
            stratum="",
            pixels=1,
            scores={} if value is None else {MODEL: {"abs_rel": value}},
            problem="missing" if value is None else None,
        )
        for place, value in enumerate(values)
    ]


def test_worst_median_and_best_are_chosen_in_this_order():
    lines = _lines(*(0.1 * value for value in (3, 9, 1, 5, 2, 8, 4, 7, 6)))
    assert sheets.choose(lines, "abs_rel", 2) == [
        *((1, "worst"), (5, "worst")),
        *((8, "median"), (3, "median")),
        *((4, "best"), (2, "best")),
    ]
    assert sheets.choose(lines, "abs_rel", 1) == [(1, "worst"), (3, "median"), (2, "best")]


def test_where_larger_is_better_worst_and_best_change_places():
    lines = _lines(0.3, 0.9, 0.1)
    words = {"worst": 2, "median": 0, "best": 1}
    chosen = sheets.choose(lines, "abs_rel", 1, smaller_is_better=False)
    assert {word: place for place, word in chosen} == words


def test_images_without_a_score_are_never_chosen():
    lines = _lines(None, 0.3, float("nan"), 0.1, None, 0.2, float("inf"))
    chosen = sheets.choose(lines, "abs_rel", 1)
    assert chosen == [(1, "worst"), (5, "median"), (3, "best")]
    assert sheets.choose(_lines(None, None), "abs_rel", 3) == []


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("images", range(12))
def test_no_image_is_chosen_twice_and_all_kinds_are_there(images, count):
    chosen = sheets.choose(_lines(*range(images)), "abs_rel", count)
    each = min(count, max(1, images // 3))
    assert len({place for place, _ in chosen}) == len(chosen) == min(images, 3 * each)
    words = [word for _, word in chosen]
    for word in ("worst", "median", "best") if images > 2 else ():
        assert words.count(word) == each


def test_the_median_is_in_the_middle():
    chosen = sheets.choose(_lines(*range(101)), "abs_rel", 3)
    assert [place for place, word in chosen if word == "median"] == [51, 50, 49]


def _row(number, title="worst"):
    truth = sheet_case.depth_m() * number
    return sheet_case.row(truth, ("a", truth, 0.1 * number), title=f"{title}: {number}")


@pytest.mark.parametrize("ending", [".png", ".jpg", ".JPEG"])
def test_a_sheet_is_written_in_the_format_of_its_ending(tmp_path, ending):
    path = tmp_path / "new" / f"sheet{ending}"
    assert sheets.draw(path, [_row(1), _row(2)], metric="abs_rel") == 2
    with Image.open(path) as image:
        assert image.format == ("PNG" if ending == ".png" else "JPEG")
        assert image.size == (4 * 324, 15 + 2 * (15 + 240 + 15))
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_both_formats_show_the_same(tmp_path):
    shown = []
    for name in ("a.png", "a.jpg"):
        sheets.draw(tmp_path / name, [_row(1)], metric="abs_rel", cropped=True)
        with Image.open(tmp_path / name) as image:
            shown.append(np.asarray(image).astype(int))
    assert shown[0].shape[1] == 5 * 324
    assert np.abs(shown[0] - shown[1]).mean() < 4


def test_without_rows_there_is_no_file(tmp_path):
    assert sheets.draw(tmp_path / "sheet.png", [], metric="abs_rel") == 0
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_ending_is_refused_before_any_row_is_drawn(tmp_path):
    rows = iter([_row(1)])
    with pytest.raises(SettingError, match=r"\.png or \.jpg"):
        sheets.draw(tmp_path / "sheet.gif", rows, metric="abs_rel")
    assert next(rows).title == "worst: 1"


def test_no_row_is_kept_once_it_is_drawn(tmp_path):
    alive = weakref.WeakSet()

    def rows():
        for number in range(1, 5):
            assert len(alive) <= 1  # the one before, which the loop still names
            row = _row(number)
            alive.add(row.truth)
            yield row

    assert sheets.draw(tmp_path / "sheet.png", rows(), metric="abs_rel") == 4
