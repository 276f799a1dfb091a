"""Pickled dictionaries of numbers and numpy arrays, read without running what they may contain.

A pickle is a program. Here its calls reach only the stand-ins below, which remember their
arguments; arrays are then built from what they remember, after a check.
"""

import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from monostep.errors import InputError
from monostep.files.in_memory import File

_NUMBER = re.compile(r"[fiu][1248]")  # as numpy calls the types of numbers
_ORDERS = ("<", ">", "|", "=")

Value = np.ndarray | int | float | str


def read(file: File) -> dict[str, Value]:
    """A pickled dictionary; arrays and numpy's own numbers become arrays.

    Any protocol, written by Python 2 or 3 and numpy 1 or 2. Entries of other kinds are left out.

    Raises:
        InputError: no pickle, a pickle of something else, or one that asks for anything but
            numbers, text, containers and arrays; nothing that it asks for has happened then.
    """
    try:
        with file.open("rb") as opened:
            content = _Reader(opened, encoding="latin-1").load()
        if not isinstance(content, Mapping):
            raise InputError(f"expected a dictionary, got {type(content).__name__}")
        values = {key: _value(entry) for key, entry in content.items() if isinstance(key, str)}
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    except Exception as error:  # a damaged pickle raises whatever there is
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{file}: not a readable pickle ({reason}); copy it again") from error
    return {key: value for key, value in values.items() if value is not None}


def _value(entry: object) -> Value | None:
    if isinstance(entry, _Array):
        return entry.built()
    return entry if isinstance(entry, int | float | str) else None


class _Dtype:
    """A number's type, by its name and byte order; stands for numpy.dtype."""

    def __init__(self, *arguments: object) -> None:
        self.name = arguments[0] if arguments else None
        self.order: object = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    def built(self) -> np.dtype:
        if not isinstance(self.name, str) or not _NUMBER.fullmatch(self.name):
            raise InputError("an array of something else than numbers")
        if self.order not in _ORDERS:
            raise InputError("an array of numbers in an unknown byte order")
        return np.dtype(f"{self.order}{self.name}")


class _Array:
    """An array's bytes, type, shape and order; stands for numpy.ndarray and numpy's numbers."""

    def __init__(self, *state: object) -> None:
        self.state: tuple[Any, ...] = state

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, columns_first, data = state
        self.state = (data, dtype, shape, "F" if columns_first else "C")

    def built(self) -> np.ndarray:
        data, dtype, shape, order, axes = (*self.state, None)[:5]
        data = data.encode("latin-1") if isinstance(data, str) else data  # as Python 2 wrote it
        if not isinstance(dtype, _Dtype) or not isinstance(data, bytes | bytearray):
            raise InputError("an array without bytes and their type")
        array = np.frombuffer(bytes(data), dtype.built())
        if axes is not None:  # newer numpy: the order in which a dense array lies in memory
            array = array.reshape(shape).transpose(axes)
        else:
            array = array.reshape(shape, order=order)
        return array.astype(array.dtype.newbyteorder("="), copy=False)


def _number(dtype: object, data: object) -> _Array:
    return _Array(data, dtype, (), "C")


def _bytes(text: str, encoding: str) -> bytes:
    """The one use that Python 3 makes of _codecs.encode, in protocols below 3."""
    if encoding not in ("latin1", "latin-1") or not isinstance(text, str):
        raise InputError("bytes written in another way than Python does")
    return text.encode("latin-1")


def _no_bytes(*arguments: object) -> bytes:
    """How protocols below 3 write none."""
    if arguments:
        raise InputError("bytes written in another way than Python does")
    return b""


_CALLS: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _bytes,
    ("__builtin__", "bytes"): _no_bytes,
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")  # before and since numpy 2
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _number),
            ("numeric", "_frombuffer", _Array),  # protocol 5
        )
    },
}


@dataclass(frozen=True)
class _Call:
    """What a pickle gets for a name: it can be called, and that is all."""

    stand_in: Callable[..., object]

    def __call__(self, *arguments: object) -> object:
        return self.stand_in(*arguments)

    def __setstate__(self, state: object) -> None:
        raise InputError("a pickle that changes what it calls, which no array does")


_KEYS = (str, bytes, int, float, type(None))

_HASHED: dict[bytes, slice] = {  # the part of the stack that an instruction hashes
    pickle.SETITEM: slice(-2, -1),
    pickle.SETITEMS: slice(0, None, 2),
    pickle.DICT: slice(0, None, 2),
    pickle.ADDITEMS: slice(0, None),
    pickle.FROZENSET: slice(0, None),
}


def _asked_first(load: Callable[[Any], None], hashed: slice) -> Callable[[Any], None]:
    """The instruction, refused where hashing could take forever: a tuple of itself, doubled."""

    def asked(reader: Any) -> None:
        if not all(isinstance(key, _KEYS) for key in reader.stack[hashed]):
            raise InputError("a dictionary or set of something else than names and numbers")
        load(reader)

    return asked


class _Reader(pickle._Unpickler):  # the one in Python: what hashes can be asked first
    """Asks for every name here, and for none of Python's own; hashes only what costs little."""

    dispatch = {  # noqa: RUF012
        **pickle._Unpickler.dispatch,
        **{
            code[0]: _asked_first(pickle._Unpickler.dispatch[code[0]], hashed)
            for code, hashed in _HASHED.items()
        },
    }

    def find_class(self, module: str, name: str) -> _Call:
        """What stands for a name (raises InputError for all but those that make arrays)."""
        stand_in = _CALLS.get((module, name))
        if stand_in is None:
            raise InputError(
                f"the pickle asks for {module}.{name}, which no array needs, so it was not "
                "obeyed; get the file from its source"
            )
        return _Call(stand_in)
