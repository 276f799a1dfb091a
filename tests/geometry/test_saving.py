import json

import numpy as np
import pytest

from monostep.files import maps
from monostep.geometry import saving

VALUES = np.ones((3, 4), np.float32)
ABOUT = {"kind": "depth", "unit": None}


@pytest.mark.parametrize("name", ["a.npy", "b.depth.npy", "C.NPY"])
def test_npy_has_its_description_beside_it(tmp_path, name):
    path = tmp_path / name
    saving.save(maps.write_depth, path, VALUES, ABOUT)
    assert json.loads(path.with_suffix(".json").read_text()) == ABOUT
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("ending", ["npz", "png", "tiff"])
def test_the_others_have_it_inside_and_nothing_beside(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    saving.save(maps.write_depth, path, VALUES, ABOUT)
    assert maps.read_depth(path)[1] == ABOUT
    assert list(tmp_path.iterdir()) == [path]
