import json
import shutil

import pytest
from typer.testing import CliRunner

from monostep import __version__
from monostep.benchmark import machine
from monostep.checkpoints import embedded
from monostep.cli import app


@pytest.fixture
def run(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return lambda *arguments: CliRunner().invoke(app, ["doctor", *arguments])


def test_it_tells_versions_extras_and_models(run):
    ended = run("--device", "cpu")
    assert ended.exit_code == 0, ended.output
    lines = dict(line.split(maxsplit=1) for line in ended.stdout.splitlines())
    assert lines["monostep"] == __version__
    assert lines["device"] == "cpu"
    assert "scipy" in lines["ensemble"]
    assert all(lines[name] == "weights as its card says" for name in embedded.names())


def test_json_is_one_object(run):
    ended = run("--device", "cpu", "--json", "nano-depth")
    told = json.loads(ended.stdout)
    assert told["monostep"] == __version__
    assert set(told["models"]) == {"embedded", "downloaded", "given"}
    assert told["models"]["given"][0]["well"]
    assert "dev" not in told["extras"]


def test_a_missing_package_names_its_extra(run, monkeypatch):
    found = machine.version
    monkeypatch.setattr(machine, "version", lambda p: None if p == "scipy" else found(p))
    (line,) = [line for line in run().stdout.splitlines() if line.startswith("ensemble ")]
    assert line.endswith("scipy missing; pip install 'monostep[ensemble]'")


def test_broken_weights_end_in_1(run, tmp_path):
    shutil.copytree(embedded.ROOT / "nano-depth", tmp_path / "own")
    path = tmp_path / "own" / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    ended = run(str(tmp_path / "own"))
    assert ended.exit_code == 1
    assert "BROKEN" in ended.stdout


def test_what_was_not_downloaded_is_not_broken(run):
    ended = run("e2e-depth")
    assert ended.exit_code == 1
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("e2e-depth ")]
    assert "NOT FOUND" in line and "BROKEN" not in line


def test_a_device_that_is_not_there_is_one_line(run):
    ended = run("--device", "cuda:99")
    assert "device 'cuda:99' cannot be used" in str(ended.exception)
