"""The verbs that need little, and what main does with a user's mistakes."""

import json
import sys

import joint_models
import pytest

from monostep import cli, recipes
from monostep.checkpoints import embedded, registry


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["monostep", *arguments])
        monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return call


def test_version_and_recipes_are_told(run):
    assert run("--version")[:2] == (0, f"monostep {cli.__version__}\n")
    code, out, _ = run("train", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(recipes.RECIPES)


def test_models_lists_what_is_embedded_and_what_is_published_with_scores(run):
    code, out, _ = run("models")
    assert code == 0
    names = [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]
    assert names == [*embedded.names(), *registry.aliases()]
    assert "NYUv2 abs_rel 0.052, delta1 0.966" in out
    line = next(line for line in out.splitlines() if line.startswith("geowizard-v2 "))
    assert line.split()[1:3] == ["geometry", "lemonaddie/geowizard;"]
    assert line.endswith("frame opencv, unet_v2")
    code, out, _ = run("models", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["name"] for row in rows] == names
    self_tests = [row for row in rows if row["grade"] == "self-test"]
    assert all(row["scores"]["test"] for row in self_tests)


def test_synthesize_writes_once(run, tmp_path):
    command = ["data", "synthesize", "-o", str(tmp_path), "--count", "2"]
    size = ["--height", "8", "--width", "12"]
    assert run(*command, *size)[1].endswith("2 scenes written, 0 were there already\n")
    (tmp_path / "000001.json").write_text("{")
    assert run(*command, *size)[1].endswith("1 scenes written, 1 were there already\n")


def test_one_map_of_a_joint_model_is_no_model_of_its_own(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    joint_models.geometry_folder(tmp_path / "joint")
    before = sorted(tmp_path.rglob("*"))
    for verb, *output in (
        ["fold", "-o", "m.safetensors"],
        ["export", "-o", "m.pt2"],
        ["inspect"],
        ["verify"],
    ):
        code, out, err = run(verb, "joint", "--task", "normals", *output)
        assert (code, out) == (2, ""), verb
        assert "predicts depth and normals together; leave task out" in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train", "nano-deep", "-o", "x"], 2, "no recipe 'nano-deep'"),
        (["train", "nano-depth", "-o", "x", "--set", "stepz=1"], 2, "no setting 'stepz'"),
        (["train", "nano-depth"], 2, "-o RUN is missing"),
        (["evaluate", "nyu", "-o", "x"], 2, "benchmark 'nyu'"),
        (["evaluate", "motorcycle", "-o", "x", "--model", "no-model"], 1, "'no-model'"),
        (["train", "nano-depth", "-o", "x", "--set", "autoencoder=no"], 1, "'no'"),
        (["train", "nano-depth", "-o", "x", "--set", "device=abacus"], 2, "device 'abacus'"),
        (["predict"], 2, ""),
        (["paint"], 2, "paint"),
    ],
)
def test_a_mistake_is_a_line_and_a_code(run, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    ended, out, err = run(*arguments)
    assert ended == code
    assert out == ""
    assert message in err
    assert "Traceback" not in err
