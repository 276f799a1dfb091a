import csv
import json

import depth_layouts
import drawn_scenes
import joint_models
import normals_layouts
import numpy as np
import own_data
import pytest
import tiny_models
import typer
from typer.testing import CliRunner

from monostep.cli import evaluate
from monostep.data import manifest
from monostep.data.manifest import Declaration
from monostep.errors import InputError, MonostepError, SettingError
from monostep.evaluation import baselines
from monostep.evaluation.sets import procedural
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


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joint") / "geometry"
    return ["--model", str(joint_models.geometry_folder(folder))]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    (root / "marigold_eval" / "diode").mkdir(parents=True)
    depth_layouts.write(root / "marigold_eval", "diode", packed=True)
    depth_layouts.write(root / "marigold_eval", "scannet")
    for name in ("sintel", "scannet"):
        normals_layouts.write_set(root / "dsine_eval", name, size=(24, 32))
    return ["--data", root / "marigold_eval"], ["--data", root]


def _invoke(*arguments):
    app = typer.Typer()
    app.command()(evaluate.evaluate)
    return CliRunner().invoke(app, [str(one) for one in arguments])


def _rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


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


def test_a_second_run_says_that_all_is_known(models, tmp_path):
    first = _invoke("procedural", *models[:2], "-o", tmp_path, *SMALL)
    second = _invoke("procedural", *models[:2], "-o", tmp_path, *SMALL)
    assert first.stdout == second.stdout
    assert "all 2 images were judged before; --overwrite" in second.stderr
    third = _invoke("procedural", *models[:2], "-o", tmp_path, *SMALL, "--overwrite")
    assert (third.stdout, third.stderr) == (first.stdout, "")


def test_failed_images_are_named_on_stderr_with_exit_code_3(models, tmp_path, monkeypatch):
    def nothing_finite(self, pictures, inference, *, at_once):
        results = plain(self, pictures, inference, at_once=at_once)
        for result in results:
            result.tensor[:] = float("nan")
        return results

    plain = Predictor.predict
    monkeypatch.setattr(Predictor, "predict", nothing_finite)
    result = _invoke("procedural", *models[:2], "-o", tmp_path, *SMALL)
    assert result.exit_code == evaluate.SOME_FAILED == 3
    assert "000000: prediction is not finite" in result.stderr
    assert "000001: prediction is not finite" in result.stderr
    assert "2 of 2 images are not in the means" in result.stderr
    assert json.loads((tmp_path / "procedural.json").read_text())["images"] == 0


def test_a_depth_benchmark_from_a_tar_under_two_protocols(models, data, tmp_path):
    protocols = ["--protocol", "marigold-2024", "--protocol", "monostep-1"]
    few = ["--resolution", "48"]
    result = _invoke("diode", *data[0], *models[:2], *protocols, *few, "-o", tmp_path)
    assert result.exit_code == 0, result.exception
    published = json.loads((tmp_path / "diode-marigold-2024.json").read_text())
    ours = json.loads((tmp_path / "diode-monostep-1.json").read_text())
    assert (published["protocol"], ours["protocol"]) == ("marigold-2024", "monostep-1")
    assert published["settings"]["inference"]["fit"] == "reference"
    assert published["settings"]["dtype"] == "float32"
    assert set(ours["metrics"]) > set(published["metrics"])
    assert published["images"] == len(_rows(tmp_path / "diode-monostep-1.csv")) == 3
    assert set(published["strata"]) == {"indoor", "outdoor"}
    assert published["baselines"] == {}


def test_normals_benchmarks_pool_their_pixels(models, data, tmp_path):
    names = ["sintel", "scannet-normals"]
    result = _invoke(*names, *data[1], *models[2:], "-o", tmp_path, "--baselines")
    assert result.exit_code == 0, result.exception
    values = json.loads((tmp_path / "sintel.json").read_text())
    assert values["protocol"] == "dsine-2024"
    assert set(values["baselines"]) == {"facing"}
    rows = _rows(tmp_path / "sintel.csv")
    pixels = np.array([int(row["pixels"]) for row in rows])
    means = np.array([float(row["mean_angle_deg"]) for row in rows])
    pooled = (pixels * means).sum() / pixels.sum()
    assert values["metrics"]["mean_angle_deg"] == pytest.approx(pooled, rel=1e-6)
    assert (tmp_path / "scannet-normals.json").is_file()


def test_a_folder_of_predictions_beside_the_model_that_wrote_it(models, data, tmp_path):
    maps = ["--save-predictions", tmp_path / "maps"]
    assert _invoke("scannet", *data[0], *models[:2], "-o", tmp_path, *maps).exit_code == 0
    both = tmp_path / "both"
    stored = ["--predictions", f"theirs={tmp_path / 'maps'}"]
    result = _invoke("scannet", *data[0], *models[:2], *stored, "-o", both, "--sheets", "1")
    assert result.exit_code == 0, result.exception
    ours, theirs = both / "scannet-tiny-depth.csv", both / "scannet-theirs.csv"
    assert ours.read_bytes() == theirs.read_bytes() == (tmp_path / "scannet.csv").read_bytes()
    assert (both / "scannet.depth.sheet.jpg").is_file()
    compared = _invoke("--compare", ours, theirs)
    assert compared.exit_code == 0
    assert "no difference" in compared.stdout
    assert json.loads(_invoke("--compare", ours, theirs, "--json").stdout)["images"] == 3


def test_a_users_own_manifest(models, tmp_path):
    rows = [own_data.row(tmp_path, size=(24, 32), name=name, split="test") for name in "ab"]
    rows.append(own_data.row(tmp_path, size=(24, 32), name="c", split="train"))
    path = tmp_path / "frames.jsonl"
    manifest.write(path, Declaration(name="my frames"), rows)
    result = _invoke(path, *models[:2], "-o", tmp_path / "out", "--split", "test")
    assert result.exit_code == 0, result.exception
    values = json.loads((tmp_path / "out" / "my-frames.json").read_text())
    assert values["images"] == 2
    assert set(values["baselines"]) == {"constant", "row"}
    assert "boundary_f1" in values["metrics"]
    plain = _invoke(path, *models[:2], "-o", tmp_path / "plain", "--no-baselines")
    assert plain.exit_code == 0
    assert json.loads((tmp_path / "plain" / "my-frames.json").read_text())["baselines"] == {}


def test_a_table_of_the_paper_says_what_is_missing(data, tmp_path):
    result = _invoke("paper-table-2", *data[1], "-o", tmp_path)
    assert result.exit_code == 0, result.exception
    assert (tmp_path / "paper-table-2.md").is_file()
    assert "no data of nyuv2-normals" in result.stderr
    values = json.loads(_invoke("paper-table-2", *data[1], "-o", tmp_path, "--json").stdout)
    assert values["table"] == "2"


def test_a_table_ends_with_3_if_something_failed(data, tmp_path):
    """Predictions of a row are of that row's table, also where another is asked for beside it."""
    tables = ["paper-table-5", "paper-table-1", *data[0], "-o", tmp_path / "out"]
    (tmp_path / "dpt").mkdir()
    result = _invoke(*tables, "--predictions", f"dpt={tmp_path / 'dpt'}")
    assert result.exit_code == 3, result.exception
    assert "monostep: dpt on scannet: " in result.stderr
    assert (tmp_path / "out" / "paper-table-1.md").is_file()
    missing = _invoke(*tables, "--predictions", f"dpt={tmp_path / 'nowhere'}")
    assert isinstance(missing.exception, InputError)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no benchmark"),
        (["procedural"], "-o OUT is missing"),
        (["nyu", "-o", "x"], "choose procedural"),
        (["nyuv2", "-o", "x"], "--data"),
        (["procedural", "--compare", "a.csv", "b.csv"], "leave procedural out"),
        (["--compare", "a.csv", "b.csv", "-o", "x"], "leave -o out"),
        (["--compare", "a.csv", "b.csv", "--json", "--sheets", "2"], "leave --sheets out"),
        (["--compare", "a.csv", "b.csv", "--list", "x"], "leave --list out"),
        (["--compare", "a.csv", "b.csv", "--max-memory", "1GB"], "leave --max-memory out"),
        (["--compare", "a.csv", "b.csv", "--steps", "4"], "leave --steps out"),
        (["paper-table-1", "paper-table-2", "-o", "x", "--predictions", "dpt=."], "no such row"),
        (["motorcycle", "-o", "x", "--split", "test"], "--split is for a manifest"),
        (["motorcycle", "-o", "x", "--frame", "opengl"], "--network-frame"),
        (["motorcycle", "-o", "x", "--value-range", "0..1"], "--value-range is for --predictions"),
        (["motorcycle", "-o", "x", "--align", "best"], "robust-log"),
        (["motorcycle", "-o", "x", "--task", "colour"], "depth or normals"),
        (["motorcycle", "-o", "x", "--predictions", ".", "--steps", "2"], "--steps is for models"),
        (["motorcycle", "-o", "x", "--fp16", "--dtype", "bf16"], "contradict"),
        (["motorcycle", "-o", "x", "--download"], "paper-table"),
        (["paper-table-1", "motorcycle", "-o", "x"], "chooses its benchmarks itself"),
        (["paper-table-1", "-o", "x", "--steps", "3"], "--steps: the rows"),
        (["paper-table-1", "-o", "x", "--predictions", "dir"], "ROW=dir"),
        (["paper-table-7", "-o", "x"], "choose paper-table-1"),
    ],
)
def test_a_mistake_is_one_of_our_errors_in_one_line(arguments, words):
    result = _invoke(*arguments)
    assert isinstance(result.exception, SettingError)
    assert words in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--dtype", "bf16"], "--dtype is"),
        (["--fp16"], "--fp16"),
        (["--max-memory", "6GB"], "--max-memory is"),
        (["--network-frame", "dsine"], "--network-frame is"),
        (["--revision", "main"], "--revision is"),
        (["--variant", "fp16"], "--variant is"),
        (["--prompt-tokens", "77"], "--prompt-tokens is"),
        (["--attention", "joint"], "--attention is"),
        (["--unet", "unet_v2"], "--unet is"),
        (["--domain", "indoor"], "--domain is"),
        (["--device", "cpu"], "--device is"),
        (["--offline"], "--offline is"),
        (["--batch-size", "2"], "--batch-size is"),
        (["--save-predictions", "x"], "--save-predictions is"),
    ],
)
def test_options_of_models_are_refused_beside_predictions_alone(tmp_path, option, words):
    result = _invoke("motorcycle", "-o", tmp_path / "x", "--predictions", tmp_path, *option)
    assert isinstance(result.exception, SettingError)
    assert words in str(result.exception)
    assert "for models" in str(result.exception)


def test_models_and_protocols_keep_to_the_benchmarks_that_they_fit(models, data, tmp_path):
    names, few = ["scannet", "scannet-normals"], ["--resolution", "48"]
    protocols = ["--protocol", "monostep-1", "--protocol", "dsine-2024"]
    result = _invoke(*names, *data[1], *models, *protocols, *few, "-o", tmp_path)
    assert result.exit_code == 0, result.exception
    made = {
        path.stem: (values["task"], values["protocol"])
        for path in tmp_path.glob("*.json")
        for values in [json.loads(path.read_text())]
    }
    assert made == {
        "scannet": ("depth", "monostep-1"),
        "scannet-normals-monostep-1": ("normals", "monostep-1"),
        "scannet-normals-dsine-2024": ("normals", "dsine-2024"),
    }
    result = _invoke(*names, *data[1], *models, "--protocol", "best", "-o", tmp_path)
    assert "no protocol 'best'; choose marigold-2024" in str(result.exception)
    garg = ["--protocol", "marigold-2024-garg"]
    result = _invoke("scannet", *data[1], *models[:2], *garg, "-o", tmp_path)
    assert "no protocol 'marigold-2024-garg'" in str(result.exception)


def test_a_joint_model_is_judged_by_both_protocols_of_one_benchmark(joint, tmp_path, monkeypatch):
    seen, plain = [], Predictor.predict

    def predict(self, pictures, inference, *, at_once=0):
        seen.extend(inference.domain for _ in pictures)
        return plain(self, pictures, inference, at_once=at_once)

    monkeypatch.setattr(Predictor, "predict", predict)
    result = _invoke("procedural", *joint, "-o", tmp_path, "--json", *SMALL)
    assert result.exit_code == 0, result.exception
    assert len(seen) == 2
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert [values["task"] for values in reports] == ["depth", "normals"]
    for values in reports:
        assert json.loads((tmp_path / f"procedural-{values['task']}.json").read_text()) == values
    way = ["--attention", "separate", "--domain", "object", "--task", "normals"]
    result = _invoke("procedural", *joint, *way, "-o", tmp_path / "other", "--json", *SMALL)
    assert result.exit_code == 0, result.exception
    settings = json.loads(result.stdout)["settings"]
    assert (settings["attention"], settings["inference"]["domain"]) == ("separate", "object")
    assert (tmp_path / "other" / "procedural-normals.json").is_file()
    assert seen[2:] == ["object", "object"]


def test_a_joint_model_is_judged_on_benchmarks_of_depth_and_of_normals(joint, data, tmp_path):
    names, few = ["scannet", "scannet-normals"], ["--resolution", "48"]
    result = _invoke(*names, *data[1], *joint, *few, "-o", tmp_path)
    assert result.exit_code == 0, result.exception
    made = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert {name: values["protocol"] for name, values in made.items()} == {
        "scannet": "marigold-2024",
        "scannet-normals": "dsine-2024",
    }
    inference = [values["settings"]["inference"] for values in made.values()]
    assert [one["domain"] for one in inference] == ["indoor", "indoor"]


def test_what_fits_no_benchmark_is_refused_also_among_several(models, data, tmp_path):
    names = ["sintel", "scannet-normals"]
    result = _invoke(*names, *data[1], *models, "-o", tmp_path / "out")
    assert "tiny-depth predicts depth, but sintel" in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("typed", [["scannet", "scannet"], ["frames.jsonl", "other.jsonl"]])
def test_benchmarks_that_would_share_a_report_are_refused_first(data, tmp_path, typed, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("frames.jsonl", "other.jsonl"):
        row = own_data.row(tmp_path, size=(24, 32), name=name[0])
        manifest.write(tmp_path / name, Declaration(name="mine"), [row])
    option = data[0] if typed[0] == "scannet" else []
    result = _invoke(*typed, *option, "--model", "no-such-model", "-o", tmp_path / "out")
    assert isinstance(result.exception, SettingError)
    assert "would share the file" in str(result.exception)
    assert typed[1] in str(result.exception)


def test_a_benchmark_of_which_images_are_missing_says_so(models, data, tmp_path):
    few = [*data[0], *models[:2], "--resolution", "48", "-o", tmp_path]
    said = "scannet: 797 of the 800 listed images are not in the data; not comparable"
    assert said in _invoke("scannet", *few).stderr
    assert "not in the data" not in _invoke("scannet", *few, "--images", "2").stderr


def test_options_of_models_hold_for_a_tables_other_rows(tmp_path):
    """Beside predictions of one of them."""
    row = ["--predictions", f"geowizard-e2e={tmp_path}"]
    way = ["--attention", "joint", "--device", "cpu"]
    result = _invoke("paper-table-3", *row, *way, "--data", tmp_path, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.exception
    rows = json.loads((tmp_path / "out" / "paper-table-3.json").read_text())["rows"]
    run = {row["row"]: row["run"] and row["run"]["attention"] for row in rows}
    assert run.pop("geowizard-e2e") == "separate"  # as published: it is not run here
    assert "joint" in run.values()


def test_a_model_of_another_task_is_refused(models, tmp_path):
    result = _invoke("motorcycle", *models[2:], "-o", tmp_path)
    assert isinstance(result.exception, SettingError)
    assert "motorcycle can judge depth only" in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_data_that_is_not_there_is_our_error(models, tmp_path):
    result = _invoke("kitti", "--data", tmp_path, *models[:2], "-o", tmp_path / "out")
    assert isinstance(result.exception, MonostepError)


@pytest.mark.parametrize("option", [["--images", "0"], ["--batch-size", "-1"], ["--height", "x"]])
def test_usage_mistakes_end_with_2(option):
    assert _invoke("procedural", "-o", "x", *option).exit_code == 2
