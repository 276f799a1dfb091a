import pytest

from monostep.errors import InputError, OutputError
from monostep.files.metadata import from_json, to_json


def test_a_description_survives_the_round_trip_in_ascii():
    about = {"b": [1, 2.5, None, True], "a": {"name": "Höhe, m²"}}
    text = to_json(about)
    assert text.isascii()
    assert from_json(text, where="here") == about


def test_equal_descriptions_give_equal_text():
    assert to_json({"a": 1, "b": 2}) == to_json({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises(OutputError, match="cannot be written as JSON"):
        to_json({"value": value})


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", b"\xff\xfe", "[" * 5000])
def test_what_is_no_json_object_is_refused_by_name(text):
    with pytest.raises(InputError, match="the-origin: ") as caught:
        from_json(text, where="the-origin")
    assert "\n" not in str(caught.value)
