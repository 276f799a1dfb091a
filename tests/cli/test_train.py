"""The whole distillation by its commands: codec, student, prediction."""

import json
import sys

import pytest
import tiny_models
from PIL import Image

import monostep
from monostep import cli, recipes

SMALL = (
    "steps=2",
    "phases=[[0,16,16,1]]",
    "validation_scenes=1",
    "precision=fp32",
    "log_every=1",
    "warmup=0",
)


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["monostep", *map(str, arguments)])
        monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return call


def _sets(*settings):
    return [part for setting in (*SMALL, *settings) for part in ("--set", setting)]


def test_the_list_names_every_recipe_with_one_line(run):
    code, out, _ = run("train", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(recipes.RECIPES)
    assert all(len(line.split()) > 3 for line in out.splitlines())


def test_a_recipe_is_shown_with_its_settings_as_changed(run, tmp_path):
    asked = ("--preset", "24GB", "--set", "seed=5", "--show", "-o", tmp_path / "run")
    code, out, _ = run("train", "marigold-e2e-depth", *asked)
    assert code == 0
    lines = out.splitlines()
    assert "seed = 5" in lines
    assert "accumulate = 16" in lines
    assert "recompute = all" in lines
    assert "monostep train marigold-e2e-depth -o" in out
    assert not (tmp_path / "run").exists()


def test_a_run_on_data_that_are_not_there_says_what_is_missing(run, tmp_path):
    code, _, error = run("train", "finetune-depth", "-o", tmp_path / "run", *_sets("data=no.csv"))
    assert code == 1
    assert "no.csv" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_folder_of_photographs_gives_a_student_that_predicts(run, tmp_path):
    teacher = tiny_models.depth_folder(tmp_path / "teacher")
    for index in range(3):
        Image.new("RGB", (30, 20), (80 * index, 40, 90)).save(tmp_path / f"{index}.png")
    common = [f"teacher={teacher}", f"images={tmp_path}"]
    small = ["width=8", "encoder_blocks=[0,0,1]", "decoder_blocks=[1,0,0]"]
    codec, student = tmp_path / "codec", tmp_path / "student"
    assert run("train", "distil-decoder", "-o", codec, *_sets(*common, *small))[0] == 0
    start = f"start={codec}"
    assert run("train", "distil-finetune", "-o", student, *_sets(*common, start))[0] == 0
    predictor = monostep.load(student / "model")
    assert predictor.card.name == "tiny-depth-tiny"
    assert predictor.card.recipe["images"] == str(tmp_path)
    assert predictor.card.scores["validation"]["distance_from_teacher"] > 0
    assert predictor(tmp_path / "0.png").values.shape == (20, 30)
    lines = [json.loads(line) for line in (student / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 2


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        ("distil-decoder", [], "distil-decoder needs a teacher: add --set teacher=MODEL"),
        ("distil-decoder", ["teacher=nano-depth", "images=no"], "images no: no such folder"),
        ("distil-finetune", ["teacher=nano-depth"], "add --set start=RUN"),
        ("distil-finetune", ["teacher=nano-depth", "start=no"], "'no'"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_run(run, tmp_path, recipe, settings, message):
    code, _, err = run("train", recipe, "-o", tmp_path / "run", *_sets(*settings))
    assert code in (1, 2)
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()
