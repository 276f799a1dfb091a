import dataclasses
import json

import drawn_scenes
import pytest
import tiny_models

from monostep.checkpoints import embedded
from monostep.errors import CheckpointError, SettingError
from monostep.evaluation import baselines, procedural, real, run
from monostep.evaluation.protocol import Procedural

SMALL = Procedural(
    images=3, height=24, width=32, baseline_scenes=4, baseline_height=6, baseline_width=8
)


@pytest.fixture(autouse=True)
def _drawn(monkeypatch):
    monkeypatch.setattr(procedural, "render", drawn_scenes.render)
    monkeypatch.setattr(baselines, "render", drawn_scenes.render)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    tiny_models.depth_folder(root / "depth")
    tiny_models.normals_folder(root / "normals")
    return str(root / "depth"), str(root / "normals")


def _run(models, output, benchmark="procedural"):
    predictors = run.predictors(benchmark, models, device="cpu")
    return run.run(benchmark, predictors, output, procedural=SMALL)


def test_one_model_writes_one_report_under_the_benchmarks_name(folders, tmp_path):
    (values,) = _run(folders[:1], tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"baselines.npz", "procedural.csv", "procedural.json"}
    written = json.loads((tmp_path / "procedural.json").read_text())
    assert written == values
    assert written["images"] == 3
    assert set(written["metrics"]) == set(written["confidence"]) == {"abs_rel", "delta1"}
    assert set(written["baselines"]) == {"constant", "row", "mean_map"}
    assert len((tmp_path / "procedural.csv").read_text().splitlines()) == 4


def test_several_models_write_one_report_each(folders, tmp_path):
    depth, normals = _run(folders, tmp_path)
    for values in (depth, normals):
        assert (tmp_path / f"procedural-{values['model']}.json").is_file()
        assert (tmp_path / f"procedural-{values['model']}.csv").is_file()
    assert set(normals["baselines"]) == {"constant", "mean_map"}
    assert "mean_angle_deg" in normals["metrics"]


def test_a_second_run_says_the_same(folders, tmp_path):
    assert _run(folders[:1], tmp_path / "a") == _run(folders[:1], tmp_path / "b")


def test_a_photograph_is_judged_beside_the_row(folders, tmp_path, monkeypatch, truth):
    photograph = dataclasses.replace(truth, normals=None, normals_valid=None)
    monkeypatch.setattr(real, "motorcycle", lambda: iter([photograph]))
    (values,) = _run(folders[:1], tmp_path, "motorcycle")
    assert values["protocol"] == "motorcycle-1"
    assert set(values["baselines"]) == {"constant", "row"}
    assert (tmp_path / "motorcycle.csv").is_file()


def test_an_unknown_benchmark_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match="procedural, motorcycle"):
        run.predictors("kitti", None, device="cpu")


def test_a_missing_model_is_named():
    with pytest.raises(CheckpointError, match="no-such-model"):
        run.predictors("procedural", ["no-such-model"], device="cpu")


def test_a_model_of_another_task_is_refused(folders):
    with pytest.raises(SettingError, match="motorcycle can judge depth only"):
        run.predictors("motorcycle", folders[1:], device="cpu")


def test_two_models_of_one_name_are_refused(folders):
    with pytest.raises(SettingError, match="share a name"):
        run.predictors("procedural", [folders[0], folders[0]], device="cpu")


def test_without_names_it_takes_the_embedded_models_of_the_right_task(tmp_path, monkeypatch):
    tiny_models.depth_folder(tmp_path / "one")
    tiny_models.normals_folder(tmp_path / "two")
    monkeypatch.setattr(embedded, "ROOT", tmp_path)
    both = run.predictors("procedural", None, device="cpu")
    assert {one.card.task for one in both} == {"depth", "normals"}
    (depth,) = run.predictors("motorcycle", None, device="cpu")
    assert depth.card.task == "depth"


def test_without_any_model_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "ROOT", tmp_path)
    with pytest.raises(SettingError, match="--model"):
        run.predictors("procedural", None, device="cpu")


def test_the_number_of_images_is_known_before_they_are_rendered():
    assert run.count("procedural", SMALL) == 3
    assert run.count("motorcycle", SMALL) == 1
