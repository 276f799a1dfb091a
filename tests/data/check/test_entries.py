from pathlib import Path

from monostep.data.check.entries import entries
from monostep.data.manifest import Declaration, Manifest, Row


def _manifest(name, images):
    rows = tuple(Row(image=Path("/data") / each, depth=None) for each in images)
    return Manifest(path=Path("/data/m.jsonl"), declaration=Declaration(name=name), rows=rows)


def test_names_are_the_manifest_and_the_path_and_differ():
    found = entries([_manifest("a", ["x/1.png", "2.png", "2.png"]), _manifest("b", ["2.png"])])
    assert [each.name for each in found] == ["a/x/1.png", "a/2.png", "a/2.png (row 3)", "b/2.png"]


def test_a_limit_is_for_each_manifest_and_spreads_over_it():
    many = _manifest("a", [f"{k}.png" for k in range(10)])
    few = _manifest("b", ["0.png"])
    found = entries([many, few], limit=4)
    assert [each.row.image.name for each in found] == ["0.png", "2.png", "5.png", "7.png", "0.png"]
