import json

import drawn_scenes
import pytest
import tiny_models
import typer
from typer.testing import CliRunner

from monostep.cli import evaluate
from monostep.errors import SettingError
from monostep.evaluation import baselines, procedural
from monostep.predictor import Predictor

SMALL = ["--images", "2", "--height", "24", "--width", "32", "--baseline-scenes", "2"]


@pytest.fixture(autouse=True)
def _drawn(monkeypatch):
    monkeypatch.setattr(procedural, "render", drawn_scenes.render)
    monkeypatch.setattr(baselines, "render", drawn_scenes.render)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    tiny_models.depth_folder(root / "depth")
    tiny_models.normals_folder(root / "normals")
    return ["--model", str(root / "depth"), "--model", str(root / "normals")]


def _invoke(*arguments):
    app = typer.Typer()
    app.command()(evaluate.evaluate)
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_it_prints_a_table_per_model(models, tmp_path):
    result = _invoke("procedural", *models, "-o", tmp_path, *SMALL)
    assert result.exit_code == 0
    for word in (
        "procedural-1",
        "abs_rel",
        "mean_angle_deg",
        "mean_map",
        "all (2)",
        "best baseline",
    ):
        assert word in result.stdout
    assert result.stderr == ""
    assert len(list(tmp_path.glob("procedural-*.json"))) == 2


def test_json_is_one_object_per_report_and_the_same_as_in_the_file(models, tmp_path):
    result = _invoke("procedural", *models, "-o", tmp_path, "--json", *SMALL)
    assert result.exit_code == 0
    for line in result.stdout.splitlines():
        values = json.loads(line)
        file = tmp_path / f"procedural-{values['model']}.json"
        assert json.loads(file.read_text()) == values


def test_failed_images_are_named_on_stderr_with_exit_code_3(models, tmp_path, monkeypatch):
    def nothing_finite(self, pictures, inference, *, at_once):
        results = plain(self, pictures, inference, at_once=at_once)
        for result in results:
            result.tensor[..., 0, 0] = float("nan")
        return results

    plain = Predictor.predict
    monkeypatch.setattr(Predictor, "predict", nothing_finite)
    result = _invoke("procedural", *models[:2], "-o", tmp_path, *SMALL)
    assert result.exit_code == evaluate.SOME_FAILED == 3
    assert "000000: prediction is not finite" in result.stderr
    assert "000001: prediction is not finite" in result.stderr
    assert json.loads((tmp_path / "procedural.json").read_text())["images"] == 0


def test_a_mistake_is_one_of_our_errors(models, tmp_path):
    result = _invoke("nyu", *models, "-o", tmp_path)
    assert isinstance(result.exception, SettingError)


@pytest.mark.parametrize(
    "arguments", [[], ["procedural"], ["procedural", "-o", "x", "--images", "0"]]
)
def test_usage_mistakes_end_with_2(arguments):
    assert _invoke(*arguments).exit_code == 2
