"""That a defect is told once, and not again as what follows from it."""

import dataclasses

import planted_defects
import pytest

from monostep.data.check.entries import entries
from monostep.data.check.looked import look
from monostep.data.check.manifest_findings import find


def _kinds(data, declaration=None):
    data = dataclasses.replace(data, declaration=declaration or data.declaration)
    rows = entries([data])
    looked = {each.name: look(each.row, each.declaration, each.name) for each in rows}
    return [each.kind for each in find(rows, looked)]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (planted_defects.constant, "constant"),
        (planted_defects.inverted_to_codes, "disparity"),
        (lambda depth: depth[:, ::-1], "registration"),
        (planted_defects.in_millimetres, "unit"),
    ],
)
def test_one_defect_of_all_images_is_one_kind(clean, tmp_path, change, kind):
    data = planted_defects.copy_of(clean, tmp_path / "set")
    for row in data.rows:
        planted_defects.change_depth(row, change)
    assert set(_kinds(data)) == {kind}


def test_relative_disparity_declared_as_such_is_clean(clean, tmp_path):
    data = planted_defects.copy_of(clean, tmp_path / "set")
    for row in data.rows:
        planted_defects.change_depth(row, planted_defects.inverted)
    declared = dataclasses.replace(data.declaration, unit="relative", quantity="disparity")
    assert _kinds(data, declared) == []
