import json
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from monostep.errors import MissingExtraError
from monostep.files.map_layout import DEPTH, NORMALS
from monostep.files.map_tiff import read_tiff, write_tiff

RNG = np.random.default_rng(0)
DEPTHS = RNG.normal(size=(5, 6)).astype(np.float32)


def test_tifffile_finds_one_page_and_the_description(tmp_path):
    path = tmp_path / "a.tiff"
    values = RNG.normal(size=(5, 6, 3)).astype(np.float32)
    write_tiff(path, values, {"name": "Höhe"}, NORMALS)
    with tifffile.TiffFile(path) as file:
        assert len(file.pages) == 1
        np.testing.assert_array_equal(file.asarray(), values)
        assert json.loads(file.pages.first.description) == {"name": "Höhe"}


def test_pillow_reads_our_depth(tmp_path):
    write_tiff(tmp_path / "a.tiff", DEPTHS, {}, DEPTH)
    with Image.open(tmp_path / "a.tiff") as image:
        np.testing.assert_array_equal(np.asarray(image), DEPTHS)


def test_a_description_of_another_program_is_left(tmp_path):
    tifffile.imwrite(tmp_path / "a.tiff", DEPTHS, description="made elsewhere", metadata=None)
    values, about = read_tiff(tmp_path / "a.tiff", DEPTH)
    np.testing.assert_array_equal(values, DEPTHS)
    assert about == {}


def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(MissingExtraError, match=r"monostep\[formats\]"):
        write_tiff(tmp_path / "a.tiff", DEPTHS, {}, DEPTH)
    with pytest.raises(MissingExtraError, match=r"monostep\[formats\]"):
        read_tiff(tmp_path / "a.tiff", DEPTH)
