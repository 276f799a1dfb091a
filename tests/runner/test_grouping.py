from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monostep.files.photo import Photo
from monostep.runner.grouping import Window, grouped
from monostep.runner.inputs import Job
from monostep.runner.outputs import Picture
from monostep.runner.record import Input


def picture(index, width, height=2):
    known = Input(
        name=str(index),
        bytes=0,
        mtime_ns=0,
        sha256="",
        width=width,
        height=height,
        focal_px=None,
        changes=(),
    )
    photo = Photo(pixels=np.zeros((1, 1, 3), np.uint8), focal_px=None, changes=())
    return Picture(
        job=Job(source=Path(), name=str(index), stem=str(index)), photo=photo, input=known
    )


def arrivals(widths):
    return [width and picture(index, width) for index, width in enumerate(widths)]


def groups(widths, most=3, **window):
    made = grouped(
        iter(arrivals(widths)),
        key=lambda one: one.input.width,
        most=lambda: most,
        window=Window(**{"arrivals": 64, **window}),
    )
    return [[int(one.job.stem) for one in group] for group in made]


def test_equal_ones_come_together_across_others_and_the_rest_at_the_end():
    assert groups([1, 2, 1, 3, 2, 1, 1]) == [[0, 2, 5], [1, 4], [3], [6]]


def test_the_oldest_goes_when_it_has_waited_through_the_window():
    assert groups([1, 2, 2, 1, 2], arrivals=2) == [[0], [1, 2], [3], [4]]
    assert groups([1, None, None, 1], arrivals=2) == [[0], [3]]  # others' ends count for waiting


def test_the_oldest_go_while_too_many_pixels_wait():
    assert groups([1, 9, 1, 9, 1], pixels=60) == [[0, 2, 4], [1, 3]]
    assert groups([1, 9, 1, 9, 1], pixels=20) == [[0, 2], [1, 3], [4]]
    assert groups([50, 1, 1, 1], pixels=20) == [[0], [1, 2, 3]]


def test_the_size_may_shrink_on_the_way():
    sizes = iter([4, 4, 4, 2, 2, 2])
    made = grouped(
        iter(arrivals([1] * 6)),
        key=lambda _: 0,
        most=lambda: next(sizes),
        window=Window(arrivals=9),
    )
    assert [len(group) for group in made] == [4, 2]


@given(
    st.lists(st.one_of(st.none(), st.integers(1, 5)), max_size=60),
    st.integers(1, 5),
    st.integers(0, 20),
    st.integers(1, 60),
)
def test_each_picture_goes_once_with_equals_in_order_and_soon_enough(widths, most, wait, pixels):
    made = groups(widths, most, arrivals=wait, pixels=pixels)
    pictures = [index for index, width in enumerate(widths) if width]
    assert sorted(index for group in made for index in group) == pictures
    for group in made:
        assert len(group) <= most
        assert group == sorted(group)
        assert len({widths[index] for index in group}) == 1
        assert group[-1] - group[0] <= wait
        assert sum(2 * widths[index] for index in group[:-1]) <= pixels
