import numpy as np
import pytest
from PIL import Image

from monostep.data.check import sizes
from monostep.data.manifest import Row


@pytest.fixture
def row(tmp_path):
    Image.fromarray(np.zeros((12, 16, 3), np.uint8)).save(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", np.ones((12, 16), np.float32))
    return Row(image=tmp_path / "a.png", depth=tmp_path / "a.npy", mask=tmp_path / "mask.png")


def _mask(row, size):
    Image.fromarray(np.full(size, 255, np.uint8)).save(row.mask)


def test_fitting_maps_of_any_scale_are_no_misfit(row):
    _mask(row, (6, 8))
    assert sizes.misfit(row) == ""
    assert sizes.scale(row, (12, 16)) == 1
    assert sizes.scale(row, (24, 32)) == 0.5


def test_the_map_that_does_not_fit_is_named_with_both_sizes(row):
    _mask(row, (6, 16))
    assert sizes.misfit(row) == "mask of 16x6 for a picture of 16x12"
    np.save(row.depth, np.ones((16, 12), np.float32))
    assert sizes.misfit(row) == "depth of 12x16 for a picture of 16x12"


def test_unreadable_files_are_no_misfit(row):
    row.depth.write_bytes(b"nothing")
    assert sizes.misfit(row) == ""
    assert sizes.scale(row, (12, 16)) is None
    row.image.unlink()
    assert sizes.misfit(row) == ""


def test_heads_tell_the_size_of_pngs(row, tmp_path):
    Image.fromarray(np.zeros((6, 8), np.uint16)).save(tmp_path / "depth.png")
    other = Row(image=row.image, depth=tmp_path / "depth.png")
    assert sizes.scale(other, (12, 16)) == 0.5
    assert sizes.scale(Row(image=row.image, depth=None), (12, 16)) is None


def test_the_few_of_another_scale_are_told():
    (finding,) = sizes.find("set", {"a": 1.0, "b": 1.0, "c": 0.5})
    assert (finding.kind, finding.severity, finding.images) == ("size", "warning", ("c",))
    assert sizes.find("set", {"a": 0.133, "b": 0.133}) == []
    assert sizes.find("set", {"a": 0.5, "b": 1.0}) == []  # no telling which is meant
