"""The wheel and the sdist, built, installed into a clean environment, and used."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]


def _run(*command: object, **options):
    parts = [str(part) for part in command]
    return subprocess.run(parts, check=True, capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_a_clean_installation_predicts_with_the_embedded_models(built, tmp_path, kind):
    (package,) = built.glob(kind)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    _run(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", package)
    photo = tmp_path / "photo.png"
    Image.fromarray(np.full((40, 60, 3), 128, dtype=np.uint8)).save(photo)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [tmp_path / "venv" / "bin" / "monostep", "predict", photo, "-o", tmp_path / "out"]
    done = _run(*command, "--json", cwd=tmp_path, env=environment)
    assert json.loads(done.stdout)["status"] == "written"
    assert np.load(tmp_path / "out" / "photo.depth.npy").shape == (40, 60)
    assert np.load(tmp_path / "out" / "photo.normals.npy").shape == (40, 60, 3)
    listed = _run(python, "-m", "pip", "list", "--format", "json", env=environment).stdout
    names = {entry["name"].lower() for entry in json.loads(listed)}
    assert not names & {"diffusers", "transformers", "scipy", "torchvision", "opencv-python"}
