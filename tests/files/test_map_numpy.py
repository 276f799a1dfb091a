import json
import pickle
from zipfile import ZipFile

import numpy as np
import pytest

from monostep.errors import InputError
from monostep.files.map_layout import DEPTH
from monostep.files.map_numpy import read_npy, read_npz, write_npy, write_npz

VALUES = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)


def test_numpy_itself_reads_both(tmp_path):
    write_npy(tmp_path / "a.npy", VALUES, {}, DEPTH)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), VALUES)
    write_npz(tmp_path / "a.npz", VALUES, {"unit": "m"}, DEPTH)
    with np.load(tmp_path / "a.npz") as file:
        np.testing.assert_array_equal(file["depth"], VALUES)
        assert json.loads(str(file["about"])) == {"unit": "m"}


def test_pickles_are_never_loaded(tmp_path):
    path = tmp_path / "evil.npy"
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(InputError, match="without pickles"):
        read_npy(path, DEPTH)
    for read in (read_npy, read_npz):
        path.write_bytes(pickle.dumps([1, 2]))
        with pytest.raises(InputError, match="without pickles"):
            read(path, DEPTH)


def test_an_archive_without_depth_says_what_it_holds(tmp_path):
    np.savez(tmp_path / "a.npz", other=VALUES)
    with pytest.raises(InputError, match=r"a\.npz: no entry 'depth' in it, only other"):
        read_npz(tmp_path / "a.npz", DEPTH)


def test_an_archive_of_another_program_needs_no_description(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", depth=VALUES)
    values, about = read_npz(tmp_path / "a.npz", DEPTH)
    np.testing.assert_array_equal(values, VALUES)
    assert about == {}


def test_a_bare_array_under_the_wrong_ending_is_refused(tmp_path):
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, VALUES)
    with pytest.raises(InputError, match=r"not a \.npz archive"):
        read_npz(tmp_path / "a.npz", DEPTH)


def test_a_shape_beyond_the_file_takes_no_memory(tmp_path):
    path = tmp_path / "a.npy"
    for shape in ((1 << 22, 1 << 22), (6, 6)):
        with path.open("wb") as file:
            head = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, head)
            file.write(VALUES.tobytes())
        with pytest.raises(InputError, match=r"a\.npy: not a readable numpy file"):
            read_npy(path, DEPTH)


def test_a_member_that_is_no_array_is_refused(tmp_path):
    with ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("depth", "x")
    with pytest.raises(InputError, match=r"a\.npz: 'depth' in it is no array"):
        read_npz(tmp_path / "a.npz", DEPTH)
