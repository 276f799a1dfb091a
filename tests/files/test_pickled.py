import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from monostep.errors import InputError
from monostep.files import pickled
from monostep.files.in_memory import InMemory

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def read(data):
    return pickled.read(InMemory(name="a.pkl", data=data))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", ">f8", "<f2", "<i4", "<i8", "|u1", "<u2"])
def test_what_numpy_pickles_comes_back(protocol, kind):
    values = np.arange(24).reshape(2, 4, 3).astype(kind)
    back = read(pickle.dumps({"a": values}, protocol))["a"]
    np.testing.assert_array_equal(back, values)
    assert back.dtype == values.dtype.newbyteorder("=")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_other_orders_slices_and_empty_arrays_come_back(protocol):
    values = np.arange(24.0).reshape(2, 4, 3)
    arrays = {
        "columns first": np.asfortranarray(values),
        "slice": values[:, ::2, 1:],
        "transposed": values.transpose(2, 0, 1),
        "empty": values[:0],
        "scalar": np.array(7.5),
    }
    back = read(pickle.dumps(arrays, protocol))
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numbers_and_texts_come_back_numpy_s_own_as_arrays(protocol):
    content = {"a": 3, "b": 2.5, "c": "text", "d": np.int64(-4), "e": np.float32(0.5), "f": True}
    back = read(pickle.dumps(content, protocol))
    assert back == content
    assert all(back[name].shape == () for name in ("d", "e"))


@pytest.mark.parametrize("core", ["core", "_core"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_pickles_of_numpy_1_and_2_are_alike(core, protocol):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    ours = pickle.dumps({"a": values, "b": np.int64(5)}, protocol, fix_imports=False)
    other = _renamed(ours, core)
    back = read(other)
    assert f"numpy.{core}.".encode() in other
    np.testing.assert_array_equal(back["a"], values)
    assert back["b"] == 5


def _renamed(data, core):
    """The same pickle with numpy's inner package called otherwise; lengths are adjusted."""
    for module in ("multiarray", "numeric"):
        for name in ("core", "_core"):
            old, new = (f"numpy.{which}.{module}".encode() for which in (name, core))
            data = data.replace(_short(old), _short(new)).replace(b"c" + old, b"c" + new)
    return data.replace(data[2:11], _frame(data)) if data[2:3] == b"\x95" else data


def _short(text):
    return b"\x8c" + bytes([len(text)]) + text


def _frame(data):
    return b"\x95" + struct.pack("<Q", len(data) - 11)


def test_pickles_of_python_2_keep_bytes_as_text():
    """As cPickle writes np.array([[1, 2]], "<i2"), with the bytes of the array in a string."""
    data = (
        b"(dp1\nS'a'\np2\ncnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n"
        b"(I0\ntp5\nS'b'\np6\ntp7\nRp8\n(I1\n(I1\nI2\ntp9\ncnumpy\ndtype\np10\n(S'i2'\np11\n"
        b"I0\nI1\ntp12\nRp13\n(I3\nS'<'\np14\nNNNI-1\nI-1\nI0\ntp15\nbI00\n"
        b"S'\\x01\\x00\\x02\\xff'\np16\ntp17\nbs."
    )
    np.testing.assert_array_equal(read(data)["a"], np.array([[1, 2 - 256]], "<i2"))


class Attack:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


ATTACKS = {
    "os.system": lambda mark: Attack(os.system, f"touch {mark}"),
    "builtins.exec": lambda mark: Attack(exec, f"open({str(mark)!r}, 'w').close()"),
    "builtins.eval": lambda mark: Attack(eval, f"open({str(mark)!r}, 'w').close()"),
    "builtins.getattr": lambda _: Attack(getattr, "a", "upper"),
    "pathlib.Path": lambda mark: Attack(Path.touch, mark),
    "numpy.fromfile": lambda mark: Attack(np.fromfile, str(mark)),
    "OrderedDict": lambda _: OrderedDict(a=1),
    "numpy.load": lambda mark: Attack(np.load, str(mark)),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ATTACKS)
def test_no_code_is_executed(tmp_path, name, protocol):
    mark = tmp_path / "mark"
    data = pickle.dumps({"a": ATTACKS[name](mark), "b": np.zeros(3)}, protocol)
    with pytest.raises(InputError, match=r"a\.pkl: the pickle asks for \S+, which no array needs"):
        read(data)
    assert not mark.exists()


def test_the_attacks_would_have_worked(tmp_path):
    for name in ("os.system", "builtins.exec", "builtins.eval", "pathlib.Path"):
        mark = tmp_path / name
        pickle.loads(pickle.dumps(ATTACKS[name](mark)))
        assert mark.exists(), name


@pytest.mark.parametrize(
    "program",
    [
        b"cnumpy\ndtype.__class__\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0bdtype.newbyt\x93.",
        b"cnumpy\n__builtins__\n.",
        b"c_codecs\ndecode\n.",
        b"ccopyreg\n_reconstructor\n.",
        b"c__main__\nAttack\n.",
        b"(inumpy\nload\n.",
    ],
)
def test_no_other_name_is_given_out(program):
    with pytest.raises(InputError):
        read(program)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (b"c_codecs\nencode\n(Va\nVrot13\ntR.", "bytes written in another way"),
        (b"c_codecs\nencode\n(Va\nVzlib\ntR.", "bytes written in another way"),
        (b"c__builtin__\nbytes\n(I1000000000000\ntR.", "bytes written in another way"),
        (b"cnumpy\nndarray\n}S'stand_in'\nNsb.", "changes what it calls"),
        (b"c_codecs\nencode\nN}S'__defaults__'\n(I1\ntss\x86b.", "not a readable pickle"),
        (b"c_codecs\nencode\n}S'__defaults__'\n(I1\ntsb.", "changes what it calls"),
        (b"Pid\n.", "persistent"),  # an object of somewhere else
        (b"\x82\x01.", "extension"),  # a name by a number
    ],
)
def test_what_is_given_out_cannot_be_misused(program, words):
    with pytest.raises(InputError, match=rf"^a\.pkl: .*{words}"):
        read(program)


@pytest.mark.parametrize(
    "array",
    [
        np.array(["text"]),
        np.array([{"a": 1}], dtype=object),
        np.zeros(2, dtype=[("x", "f4"), ("y", "f4")]),
        np.array(["2020-01-01"], "M8[D]"),
        np.zeros(2, complex),
    ],
    ids=str,
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_anything_but_numbers_are_refused(array, protocol):
    with pytest.raises(InputError, match=r"^a\.pkl: "):
        read(pickle.dumps({"a": array}, protocol))


def test_a_shape_that_the_bytes_do_not_fill_is_refused():
    data = pickle.dumps({"a": np.arange(6, dtype=np.uint8)}, 2)
    assert data.count(b"K\x06") == 1
    with pytest.raises(InputError, match=r"^a\.pkl: not a readable pickle .*cannot reshape"):
        read(data.replace(b"K\x06", b"K\x07"))


def test_every_cut_ends_in_one_named_line():
    data = pickle.dumps({"a": np.arange(6.0), "b": 3})
    for length in range(len(data)):
        with pytest.raises(InputError, match=r"\Aa\.pkl: .+\Z") as caught:
            read(data[:length])
        assert "\n" not in str(caught.value)


def test_every_flipped_byte_ends_in_numbers_or_in_one_named_line():
    data = pickle.dumps({"a": np.arange(4, dtype=np.float32), "b": np.int64(3)}, 4)
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        try:
            values = read(bytes(broken))
        except InputError as error:
            assert str(error).startswith("a.pkl: ") and "\n" not in str(error)
        else:
            assert all(
                isinstance(value, np.ndarray | int | float | str) for value in values.values()
            )


@pytest.mark.parametrize(
    ("content", "words"), [([1, 2], "got list"), (3, "got int"), (np.zeros(3), "got _Array")]
)
def test_something_else_than_a_dictionary_is_refused(content, words):
    with pytest.raises(InputError, match=f"expected a dictionary, {words}"):
        read(pickle.dumps(content))


def test_entries_of_other_kinds_are_left_out():
    assert read(pickle.dumps({"a": [1], "b": None, 3: 4, "c": {"d": 1}, "e": 5})) == {"e": 5}


def test_a_file_on_disk_is_read_and_a_missing_one_named(tmp_path):
    path = tmp_path / "b.pkl"
    path.write_bytes(pickle.dumps({"a": 1}))
    assert pickled.read(path) == {"a": 1}
    with pytest.raises(InputError, match=r"c\.pkl: .*No such file"):
        pickled.read(tmp_path / "c.pkl")


def _doubled(levels, last):
    """A tuple of itself and itself, so many times; its hash takes twice as long each time."""
    return b"\x80\x02}" + b")" + b"2\x86" * levels + last


@pytest.mark.parametrize(
    "program",
    [
        _doubled(60, b"K\x01s."),  # a dictionary's item
        b"\x80\x02}(" + _doubled(60, b"K\x01u.")[3:],
        b"\x80\x02(" + _doubled(60, b"K\x01d.")[3:],
        b"\x80\x04\x8f(" + _doubled(60, b"\x90.")[3:],  # a set
        b"\x80\x04(" + _doubled(60, b"\x91.")[3:],
    ],
)
def test_no_key_can_take_forever(program):
    with pytest.raises(InputError, match=r"a\.pkl: a dictionary or set of something else"):
        read(program)


def test_tuples_of_a_few_levels_would_have_been_hashed():
    assert pickle.loads(_doubled(3, b"K\x01s."))
