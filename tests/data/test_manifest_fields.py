from math import inf

import pytest

from monostep.data.manifest import Declaration
from monostep.data.manifest_fields import Entry, choice, convert, four, number, plain, text
from monostep.errors import InputError


def entry(**values):
    return Entry(where="own.csv, line 7", values=values)


def test_each_field_by_its_rule_and_what_says_nothing_is_left_out():
    known = {"a": number, "b": text, "c": choice("x", "y")}
    assert convert(entry(a="1e-3", b="", c="y"), known) == {"a": 1e-3, "c": "y"}
    assert convert(entry(a=None, b="b"), known) == {"b": "b"}


def test_errors_say_where_and_what():
    with pytest.raises(InputError, match=r"own\.csv, line 7: unknown 'dept'; known: depth"):
        convert(entry(dept=1), {"depth": text})
    with pytest.raises(InputError, match=r"own\.csv, line 7: unit 'inch': expected one of m, cm"):
        convert(entry(unit="inch"), {"unit": choice("m", "cm")})


@pytest.mark.parametrize("value", ["one", "nan", float("nan"), True, [1], 10**400])
def test_what_is_no_number(value):
    with pytest.raises(InputError, match="expected a number"):
        number(value)


@pytest.mark.parametrize(
    "value", ["1,2,3,4", [1, 2, 3], [0, 1, 2, 3], [1, -1, 2, 3], [1, 1, "inf", 0], [1, 1, 1, None]]
)
def test_what_is_no_camera(value):
    with pytest.raises(InputError):
        four(value)


def test_plain_leaves_defaults_out_and_infinity_is_text():
    assert plain(Declaration(name="a"), {}) == {"name": "a"}
    told = plain(Declaration(name="a", sky=inf, least_m=0.5), {float: lambda item: -item})
    assert told == {"name": "a", "sky": -inf, "least_m": -0.5}
    assert plain(Declaration(name="a", sky=inf), {})["sky"] == "inf"
    assert number("inf") == inf


def test_text_is_text():
    with pytest.raises(InputError, match="expected text, got int"):
        text(3)
