import os
import pickle

import numpy as np
import pytest
import torch

from monostep.errors import InputError
from monostep.evaluation.sets import oasis
from monostep.files.in_memory import InMemory

NORMAL = np.random.default_rng(0).normal(size=(3, 4, 3))
CONTENT = {"min_y": 1, "max_y": 3, "min_x": 2, "max_x": 5, "normal": NORMAL}


def read(**changes):
    return oasis.read(InMemory(name="a.pkl", data=pickle.dumps(CONTENT | changes)))


def test_the_box_is_pasted_with_its_last_row_and_column():
    normals, valid = read().on((6, 7))
    expected = np.zeros((6, 7, 3))
    expected[1:4, 2:6] = NORMAL
    np.testing.assert_array_equal(normals.permute(1, 2, 0), expected.astype(np.float32))
    assert valid.sum() == 12 and valid[1:4, 2:6].all()


def test_a_box_as_large_as_the_image_fits():
    normals, valid = read(min_y=0, max_y=2, min_x=0, max_x=3).on((3, 4))
    assert valid.all()
    np.testing.assert_array_equal(normals.permute(1, 2, 0), NORMAL.astype(np.float32))


@pytest.mark.parametrize("axis", range(3))
def test_one_component_suffices_to_be_known(axis):
    normal = np.zeros((3, 4, 3))
    normal[1, 2, axis] = -0.5
    _, valid = read(normal=normal).on((6, 7))
    assert torch.nonzero(valid).tolist() == [[2, 4]]


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_normal_that_is_not_finite_is_unknown(wrong):
    normal = NORMAL.copy()
    normal[0, 0, 1] = wrong
    normals, valid = read(normal=normal).on((6, 7))
    assert not valid[1, 2] and valid.sum() == 11
    assert normals.isfinite().all() and not normals[:, 1, 2].any()


@pytest.mark.parametrize("integer", [int, np.int32, np.int64, np.uint16])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_boxes_and_normals_of_any_width_of_number(integer, kind):
    box = {name: integer(CONTENT[name]) for name in CONTENT if name != "normal"}
    found = read(**box, normal=NORMAL.astype(kind))
    assert (found.top, found.left) == (1, 2)
    np.testing.assert_array_equal(found.normals, NORMAL.astype(kind))


@pytest.mark.parametrize("size", [(3, 7), (6, 5), (1, 1)])
def test_a_box_beyond_the_image_is_refused(size):
    with pytest.raises(
        InputError, match=f"rows up to 3 and columns up to 5 of an image of {size[0]} x"
    ):
        read().on(size)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"max_y": 4},
            r"rows 1 to 4 .* want float normals of \[4, 4, 3\], got float64 \[3, 4, 3\]",
        ),
        ({"min_y": -1, "max_y": 1}, "rows -1 to 1"),
        ({"normal": NORMAL[..., 0]}, r"got float64 \[3, 4\]"),
        ({"normal": NORMAL.astype(int)}, "got int64"),
        ({"normal": 3}, r"got int64 \[\]"),
        ({"min_x": 2.0}, "min_x: expected an integer, got float64"),
        ({"min_x": "2"}, "min_x: expected an integer"),
        ({"min_x": np.array([2])}, r"min_x: expected an integer, got int64 \[1\]"),
        ({"min_x": 10**30}, "min_x: expected an integer, got object"),
        ({"normal": None}, "no normal; expected"),
        ({"min_x": None, "max_y": [3]}, "no max_y, min_x; expected"),
    ],
)
def test_other_contents_are_named(changes, words):
    with pytest.raises(InputError, match=rf"^a\.pkl: .*{words}|^a\.pkl: {words}"):
        read(**changes)


def test_code_in_it_is_not_run(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'mark'}",)

    with pytest.raises(InputError, match=r"a\.pkl: the pickle asks for \w+\.system"):
        read(normal=Attack())
    assert not (tmp_path / "mark").exists()


def test_normals_beyond_float32_are_unknown():
    normal = NORMAL.copy()
    normal[0, 0, 1] = 1e300
    normals, valid = read(normal=normal).on((6, 7))
    assert not valid[1, 2] and valid.sum() == 11
    assert normals.isfinite().all()
