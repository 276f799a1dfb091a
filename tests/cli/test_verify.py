import json
import warnings

import joint_models
import marigold_folders
import pytest
import rendered_once
from typer.testing import CliRunner

from monostep.cli import app
from monostep.errors import SettingError
from monostep.inspection import verify


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("m") / "e2e"
    return marigold_folders.write(path, "e2e-depth")


@pytest.fixture(autouse=True)
def _rendered_once(monkeypatch):
    monkeypatch.setattr(verify, "render", rendered_once.render)


def _invoke(*arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # diffusers deprecates at length
        result = CliRunner().invoke(app, ["verify", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_equal_is_exit_0_and_a_row_for_each_case(folder):
    result = _invoke(folder, "--task", "depth", "--size", "40x56", "--size", "33X47")
    assert result.exit_code == 0
    rows = result.stdout.splitlines()
    assert len(rows) == 5
    assert all(row.endswith(" equal") for row in rows[1:4])


def test_a_joint_model_has_a_row_for_each_of_its_maps(tmp_path):
    joint = joint_models.geometry_folder(tmp_path / "joint", words=True)
    result = _invoke(joint, "--size", "24x32", "--domain", "object", "--attention", "separate")
    assert result.exit_code == 0
    _, *rows, last = result.stdout.splitlines()
    assert [row.split()[2] for row in rows] == ["depth", "normals"] * 2
    assert all(row.endswith(" equal") for row in rows)
    assert "GeoWizard's program" in last


@pytest.mark.slow
def test_different_is_exit_1(folder, monkeypatch):
    monkeypatch.setattr(verify, "SINGLE", -1.0)  # nothing is that equal
    result = _invoke(folder, "--task", "depth", "--size", "24x32", "--json")
    assert result.exit_code == 1
    values = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["equal"] for each in values] == [False, False]
    assert values[0]["difference"] < 1e-4
    assert values[0]["seconds"].keys() == {"monostep", "diffusers"}


@pytest.mark.parametrize("size", ["40", "40x", "0x8", "a x b", "1x2x3"])
def test_a_size_that_is_none_is_refused(folder, size):
    with pytest.raises(SettingError, match="expected HEIGHTxWIDTH"):
        _invoke(folder, "--task", "depth", "--size", size)
