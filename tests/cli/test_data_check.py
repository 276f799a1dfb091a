import json

import planted_defects
import pytest
import typer
from typer.testing import CliRunner

from monostep.cli.data_check import check
from monostep.data import manifest
from monostep.data.synthesize import synthesize

app = typer.Typer()
app.command()(check)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean") / "set"
    synthesize(folder, seed=5, indices=range(4), size=(64, 80))
    return folder


def _run(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_clean_data_end_in_zero_with_a_report_and_a_sheet(clean, tmp_path):
    result = _run(clean, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "4 of 4 images read" in result.stdout
    assert "nothing found" in result.stdout
    assert {each.name for each in (tmp_path / "out").iterdir()} == {
        "report.json",
        "report.md",
        "sheet.png",
    }


def test_errors_end_in_one_and_json_is_the_report(clean, tmp_path):
    data = planted_defects.copy_of(clean, tmp_path / "set")
    planted_defects.change_depth(data.rows[1], planted_defects.constant)
    result = _run(tmp_path / "set", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    about = json.loads(result.stdout)
    assert about == json.loads((tmp_path / "out" / "report.json").read_text())
    assert [each["kind"] for each in about["findings"]] == ["constant"]


def test_warnings_alone_end_in_zero_and_pictures_of_other_data_in_one(clean, tmp_path):
    data = planted_defects.copy_of(clean, tmp_path / "set")
    manifest.write(tmp_path / "set" / "twice.jsonl", data.declaration, [*data.rows, data.rows[0]])
    result = _run(tmp_path / "set" / "twice.jsonl", "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert "warning" in result.stdout
    assert "the same file 2 times" in result.stdout
    other = tmp_path / "held-out.jsonl"
    manifest.write(other, manifest.Declaration(name="held-out"), data.rows[2:3])
    result = _run(tmp_path / "set", "-o", tmp_path / "out", "--against", other)
    assert result.exit_code == 1
    assert "held-out/" in result.stdout


def test_a_limit_looks_at_fewer(clean, tmp_path):
    result = _run(clean, "-o", tmp_path / "out", "--limit", 2)
    assert "2 of 2 images read" in result.stdout
    assert "2 of 4 images looked at, and only these for duplicates" in result.stdout
