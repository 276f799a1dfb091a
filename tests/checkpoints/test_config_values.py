import pytest

from monostep.checkpoints.config_values import ConfigValues
from monostep.errors import CheckpointError

CONFIG = {"one": 3, "many": [1, 2], "alike": [4, 4], "real": 0.5, "words": ["a"], "null": None}
VALUES = ConfigValues(config=CONFIG, of="UNet")


def test_values_come_out_as_they_went_in():
    assert VALUES.number("one") == 3
    assert VALUES.number("alike") == 4
    assert VALUES.number("null", 7) == VALUES.number("absent", 7) == 7
    assert VALUES.numbers("many") == VALUES.numbers("many", 2) == (1, 2)
    assert VALUES.numbers("one", 3) == (3, 3, 3)
    assert ConfigValues(config={"a": [0, 1]}, of="UNet").numbers("a", least=0) == (0, 1)
    assert VALUES.names("words") == ["a"]
    assert VALUES.real("real", 1.0) == 0.5
    assert VALUES.real("null", 1.0) == 1.0


@pytest.mark.parametrize(
    ("take", "message"),
    [
        (lambda: VALUES.number("null"), "UNet config: null is missing"),
        (lambda: VALUES.number("many"), r"many \[1, 2\]; expected a positive whole number"),
        (lambda: VALUES.number("real"), "real 0.5; expected a positive whole number"),
        (lambda: VALUES.numbers("many", 3), "expected 3 whole numbers >= 1"),
        (lambda: VALUES.numbers("words"), "expected some whole numbers >= 1"),
        (lambda: VALUES.names("many"), "expected a list of names"),
        (lambda: VALUES.real("words", 1.0), "expected a positive number"),
        (lambda: VALUES.check_fixed({"one": 4}), "one 3 is not implemented; expected 4"),
        (lambda: VALUES.check_fixed({"one": None}), "one 3 is not implemented; expected None"),
    ],
)
def test_odd_values_are_named(take, message):
    with pytest.raises(CheckpointError, match=message):
        take()


def test_what_is_as_implemented_passes():
    empty = ConfigValues(config={"a": False, "b": [], "c": None, "d": 1}, of="UNet")
    empty.check_fixed({"a": None, "b": None, "c": "silu", "d": 1, "absent": True})
