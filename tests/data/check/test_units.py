import pytest

from monostep.data.check import units
from monostep.data.check.spread import Spread
from monostep.data.manifest import Declaration

METRES = Declaration(name="set")


def _spreads(**medians):
    return {
        name: Spread(valid_share=1.0, least=m / 2, median=m, most=2 * m, downwards=-0.5)
        for name, m in medians.items()
    }


def _find(declaration=METRES, kinds=None, **medians):
    return units.find("set", declaration, _spreads(**medians), kinds or {})


@pytest.mark.parametrize(
    ("unit", "median_m", "right"),
    [("m", 2500, "mm"), ("mm", 0.0025, "m"), ("cm", 0.002, "mm"), ("m", 5000, "mm")],
)
def test_an_impossible_median_is_found_and_the_likely_unit_is_named(unit, median_m, right):
    (finding,) = _find(Declaration(name="set", unit=unit), a=median_m, b=1.1 * median_m)
    assert finding.images == ("a", "b")
    assert finding.severity == "error"
    if unit != "cm":  # 0.2 m is usual neither way
        assert f"as {right} it would be" in finding.message
    assert "declare another unit" in finding.message


def test_one_file_in_another_unit_is_found_though_it_alone_would_pass():
    (finding,) = _find(a=0.8, b=0.9, c=1.0, d=1.1, e=900.0)
    assert finding.images == ("e",)
    assert finding.numbers["ratio"] == pytest.approx(900)


def test_a_kind_narrows_what_is_possible():
    medians = {"a": 300.0, "b": 250.0}
    assert [each.severity for each in _find(**medians)] == ["warning"]
    (finding,) = _find(kinds={"a": "indoor", "b": "outdoor"}, **medians)
    assert finding.images == ("a",)
    assert "write these files anew" in finding.message


def test_sets_from_close_ups_to_landscapes_are_let_be():
    assert _find(a=0.3, b=0.5, c=2.0, d=8.0, e=60.0, f=200.0) == []


def test_relative_depth_has_no_unit():
    assert _find(Declaration(name="set", unit="relative"), a=1e6, b=1e-6) == []


@pytest.mark.parametrize("kind", [None, "outdoor"])
def test_centimetres_read_as_metres_are_doubted_unless_a_kind_says_that_they_are_right(kind):
    medians = {"a": 210.0, "b": 260.0, "c": 340.0}
    found = _find(kinds=dict.fromkeys(medians, kind), **medians)
    if kind is not None:
        assert found == []
        return
    (finding,) = found
    assert (finding.severity, finding.images) == ("warning", ("a", "b", "c"))
    assert "declare another unit" in finding.message
    assert "as cm it would be 2.6 m" in finding.message
