import dataclasses

import numpy as np
import planted_defects
import pytest

from monostep.data import manifest
from monostep.data.check.findings import Finding
from monostep.data.check.looked import Looked, look
from monostep.data.manifest import Declaration
from monostep.data.synthesize import synthesize


@pytest.fixture
def data(tmp_path):
    synthesize(tmp_path / "set", seed=4, indices=range(1), size=(96, 128))
    return manifest.read(tmp_path / "set")


def test_all_is_measured_of_a_whole_row(data):
    looked = look(data.rows[0], data.declaration, "a")
    assert isinstance(looked, Looked)
    assert looked.size == (96, 128)
    assert looked.scale == 1
    assert looked.agreement.declared > 0.9
    assert looked.overlap is not None
    assert looked.plateaus
    assert 0 < looked.contrast <= 1


def test_without_normals_or_depth_there_is_less(data):
    row = data.rows[0]
    assert look(dataclasses.replace(row, normals=None), data.declaration, "a").agreement is None
    bare = look(dataclasses.replace(row, depth=None), data.declaration, "a")
    assert (bare.spread, bare.votes, bare.overlap) == (None, None, None)


def test_one_stored_distance_is_one_plateau_though_its_depths_differ(data):
    row = dataclasses.replace(data.rows[0], mask=None)
    planted_defects.change_depth(row, planted_defects.with_holes(400.0))
    looked = look(row, Declaration(name="set", quantity="distance"), "a")
    most = next(each for each in looked.plateaus if each.end == "most")
    assert most.value == pytest.approx(400, rel=1e-4)
    # Rounding parts it into a few values, of which the commonest end is still many pixels.
    assert most.share > 0.002


@pytest.mark.parametrize("broken", ["image", "depth", "normals", "mask"])
def test_a_file_that_is_not_there_or_cut_short_is_told_by_name(data, broken):
    row = data.rows[0]
    path = getattr(row, broken)
    planted_defects.cut_short(path)
    finding = look(row, data.declaration, "a")
    assert isinstance(finding, Finding)
    assert (finding.kind, finding.severity) == ("unreadable", "error")
    assert path.name in finding.message
    path.unlink()
    assert look(row, data.declaration, "a").kind == "unreadable"


def test_another_aspect_ratio_is_a_size_not_a_broken_file(data):
    np.save(data.rows[0].depth, np.ones((96, 100), np.float32))
    finding = look(data.rows[0], data.declaration, "a")
    assert finding.kind == "size"
    assert "depth of 100x96 for a picture of 128x96" in finding.message
