import json

from monostep.data.check.findings import KINDS, Finding, named, ordered


def _finding(kind, severity="error", images=("a",), **numbers):
    return Finding(
        kind=kind, severity=severity, manifest="set", images=images, message="m", numbers=numbers
    )


def test_order_is_errors_first_and_does_not_depend_on_the_order_given():
    findings = [
        _finding("duplicate", "warning"),
        _finding("sky", images=("b",)),
        _finding("sky"),
        _finding("unit"),
    ]
    expected = ("unit", "sky", "sky", "duplicate")
    for given in (findings, findings[::-1]):
        assert tuple(each.kind for each in ordered(given)) == expected
    assert ordered(findings)[1].images == ("a",)


def test_values_are_json_with_numbers_of_six_digits():
    values = _finding("unit", median_m=1234.56789).values()
    assert json.loads(json.dumps(values)) == values
    assert values["numbers"] == {"median_m": 1234.57}
    assert values["kind"] in KINDS


def test_long_lists_are_shortened_to_a_count():
    assert named(["a", "b"]) == "a, b"
    assert named(list("abcde")) == "a, b, c and 2 more"
