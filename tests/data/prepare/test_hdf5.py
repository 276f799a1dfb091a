import sys

import numpy as np
import pytest
from official_trees import hdf5 as write

from monostep.data.prepare import hdf5
from monostep.errors import InputError, MissingExtraError


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32"])
def test_an_array_comes_back_as_it_was_written(tmp_path, dtype):
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    write(tmp_path / "a.hdf5", values)
    found = hdf5.read(tmp_path / "a.hdf5", (2, 3, 4))
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)


def test_files_that_are_no_such_array_are_named_in_one_line(tmp_path):
    import h5py

    (tmp_path / "text.hdf5").write_text("not hdf5")
    write(tmp_path / "torn.hdf5", np.zeros((300, 300)))
    whole = (tmp_path / "torn.hdf5").read_bytes()
    (tmp_path / "torn.hdf5").write_bytes(whole[: len(whole) // 2])
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["values"] = np.zeros(3)
    for name in ("absent.hdf5", "text.hdf5", "torn.hdf5", "other.hdf5"):
        with pytest.raises(InputError, match=name) as caught:
            hdf5.read(tmp_path / name, (300, 300))
        assert "\n" not in str(caught.value)
        assert "download" in str(caught.value)


def test_without_h5py_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'monostep\[train\]'"):
        hdf5.read(tmp_path / "a.hdf5", (2,))


def test_a_huge_shape_is_refused_before_it_takes_memory(tmp_path):
    import h5py

    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file.create_dataset("dataset", (1 << 24, 1 << 24), "f4", chunks=(64, 64))
    with pytest.raises(InputError, match=r"a\.hdf5: expected numbers \[768, 1024\], got float32"):
        hdf5.read(tmp_path / "a.hdf5", (768, 1024))
