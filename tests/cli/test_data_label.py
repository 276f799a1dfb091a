from pathlib import Path

import joint_models
import pytest
import tiny_models
import typer
from many_files import picture
from typer.testing import CliRunner

from monostep.cli.data_label import label
from monostep.cli.exit_codes import FAILED, SOME_FAILED
from monostep.data import manifest
from monostep.errors import SettingError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.depth_folder(tmp_path_factory.mktemp("models") / "depth")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return [picture("photos/a.png", seed=1), picture("photos/b.png", seed=2)]


def run(*arguments):
    app = typer.Typer()
    app.command()(label)
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(result.exception, Exception):
        raise result.exception
    return result


@pytest.mark.usefixtures("photos")
def test_labels_a_folder_and_says_what_it_did(model):
    first = run("photos", "--model", model, "-o", "labels.jsonl", "--dtype", "fp32")
    assert first.exit_code == 0
    assert "photos/a.png\t24x16" in first.stdout
    assert "labels.jsonl: 2 images labelled, 0 there already, 0 failed" in first.stderr
    assert "mean confidence 0." in first.stderr
    assert len(manifest.read("labels.jsonl").rows) == 2
    again = run("photos", "--model", model, "-o", "labels.jsonl", "--dtype", "fp32", "-q")
    assert (again.exit_code, again.output) == (0, "")


def test_a_broken_photograph_is_named(model, photos):
    photos[1].write_bytes(b"broken")
    result = run("photos", "gone.png", "--model", model, "-o", "labels.jsonl", "-q")
    assert result.exit_code == SOME_FAILED
    assert "photos/b.png" in result.stderr
    assert "gone.png: no such file" in result.stderr
    photos[0].unlink()
    Path("labels.jsonl").unlink()
    assert run("photos", "--model", model, "-o", "labels.jsonl").exit_code == FAILED


def test_the_looks_can_be_chosen(model, photos):
    options = ("--model", model, "-o", "labels.jsonl", "--resolution", "32")
    assert run(photos[0], *options, "--scale", "0.5").exit_code == 0
    assert "skipped" not in run(photos[0], *options).stdout
    with pytest.raises(SettingError, match="scale 2"):
        run(photos[0], *options, "--scale", "2")


@pytest.mark.usefixtures("photos")
def test_nothing_to_label_is_said(model):
    with pytest.raises(SettingError, match=r"gone: no such file"):
        run("gone", "--model", model, "-o", "labels.jsonl")
    assert not Path("labels.jsonl").exists()


def test_a_joint_model_labels_one_of_its_maps(photos, tmp_path):
    joint = joint_models.geometry_folder(tmp_path / "joint")
    options = ("--model", joint, "-o", "labels.jsonl", "--dtype", "fp32", "-q")
    with pytest.raises(SettingError, match="choose the task depth or normals"):
        run(photos[0], *options)
    chosen = ("--task", "normals", "--domain", "object")
    assert run(photos[0], *options, *chosen).exit_code == 0
    (row,) = manifest.read("labels.jsonl").rows
    assert (row.depth is None, row.normals is None) == (True, False)
